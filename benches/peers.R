# CPU seconds of pROC, one line of JSON each. Usage: Rscript peers.R LARGEST_N
suppressMessages(library(pROC))
largest <- as.numeric(commandArgs(TRUE)[1])
for (size in list(c(1000, 500), c(16370, 223), c(112120, 1431))) {
  n <- size[1]; m <- size[2]
  if (n > largest) next
  set.seed(3)
  y <- as.integer(seq_len(n) <= m)
  s <- plogis(rnorm(n) + 1.2 * y)
  r <- roc(y, s, levels = c(0, 1), direction = "<", quiet = TRUE)
  t <- system.time(ci.auc(r, method = "bootstrap", boot.n = 200, boot.stratified = FALSE, progress = "none"))
  line <- '{"peer":"pROC ci.auc (AUC alone)","what":"auc+sensitivity+specificity+f1","n":%d,"positives":%d,"replicates":2000,"seconds":%g}\n'
  cat(sprintf(line, n, m, (t[[1]] + t[[2]]) * 10))
  cat(sprintf(sub('"replicates":2000', '"replicates":10000', line), n, m, (t[[1]] + t[[2]]) * 50))
  t <- system.time(var(r, method = "delong"))
  cat(sprintf('{"peer":"pROC","what":"delong","n":%d,"positives":%d,"replicates":0,"seconds":%g}\n', n, m, t[[1]] + t[[2]]))
}
