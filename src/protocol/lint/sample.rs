//! The sample, and what the case tables are used for besides.

use super::Look;
use crate::diagnostic::Code;

impl Look<'_> {
    pub(super) fn sample(&mut self) {
        let protocol = self.protocol;
        if let Some(target) = protocol.sample.target
            && let Some(positives) = target.positives
            && (positives == 0 || positives == target.cases)
        {
            let one = if positives == 0 { "no positive" } else { "no negative" };
            self.refuses(
                Code::SampleOneClass,
                "sample.positives",
                format!(
                    "the sample is drawn with {one} case: neither discrimination nor one of its halves \
                 can be \
                         estimated"
                ),
                "draw cases of both classes, or leave `positives` out: then the draw has no regard to labels",
            );
        }
        if let Some(development) = &protocol.data.development
            && protocol.data.cases.iter().any(|table| table.path == development.path)
        {
            self.refuses(
                Code::DevelopmentIsTestSet,
                "data.development",
                format!(
                    "`{}` is the table of the study's cases: the model would be trained on its test set",
                    development.path
                ),
                "name a table of other patients",
            );
        }
        let data = &protocol.data;
        if data.separate_sites && data.development.is_none() && data.development_sites.is_empty() {
            self.asks(
                Code::SitesNotShown,
                "data.separate_sites",
                "the protocol states that the study's sites are none of development, and nothing says which \
                 those are",
                "name the table of the development cases, with a column `site`, or state `development_sites`",
            );
        }
        if protocol.data.source.is_none() {
            self.asks(
                Code::DataSourceMissing,
                "data",
                "nothing says where the cases come from: sites, period, and how they were chosen",
                "`source = \"...\"` in [data]; documents print it",
            );
        }
        let finding = protocol.study.finding.to_lowercase();
        let positive = protocol.data.cases.first().map_or(&[][..], |table| &table.positive_findings);
        let near = |label: &String| {
            let label = label.to_lowercase().replace(['_', '-'], " ");
            label.split_whitespace().any(|word| word.len() > 3 && finding.contains(word))
                || finding.split_whitespace().any(|word| word.len() > 3 && label.contains(word))
        };
        if !positive.is_empty() && !positive.iter().any(near) {
            self.asks(
                Code::FindingDisagrees,
                "data.positive_findings",
                format!("the study is about {finding}, and {} makes a case positive", positive.join(", ")),
                "let `study.finding` and `positive_findings` mean the same condition",
            );
        }
    }
}
