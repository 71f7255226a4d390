//! Every code that a problem or a warning can have. Codes are stable, stand in `docs/diagnostics.md`, which
//! says what each means and the way out, and are never reused; a test keeps this list and that document
//! equal.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the codes once: the variants, the texts, and the list of all.
macro_rules! codes {
    ($($(#[$about:meta])* $name:ident = $text:literal,)+) => {
        /// What kind of problem it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$about])* $name,)+
        }

        impl Code {
            /// Every code, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is printed and written: kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// The code that has this text.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

/// By text, so that the order of the list means nothing.
impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no code of this version")))
    }
}

codes! {
    // Files and program
    /// A file operation failed for another reason than those below.
    Io = "io",
    /// The disk or the quota is full.
    DiskFull = "disk-full",
    /// A file that is needed, such as one that the protocol names, is not there.
    FileMissing = "file-missing",
    /// Not a plain relative path: empty, absolute, with `..`, a backslash, a colon or a control character.
    Path = "path",
    /// Another process is writing in the study.
    StudyBusy = "study-busy",
    /// A file, a bundle or what a compressed table grows to is beyond a declared limit.
    TooLarge = "too-large",
    /// Ctrl-C.
    Interrupted = "interrupted",
    // TOML files
    /// Not TOML, or not UTF-8.
    TomlSyntax = "toml-syntax",
    /// A required key or table is not there, or a key that another one makes necessary.
    KeyMissing = "key-missing",
    /// A key that has no meaning here.
    UnknownKey = "unknown-key",
    /// Text where a number must be, and the like.
    ValueType = "value-type",
    /// A number, count, id, band or list outside what is allowed.
    ValueRange = "value-range",
    /// An empty text or an empty list.
    ValueEmpty = "value-empty",
    /// A word that is not one of the choices.
    ValueUnknown = "value-unknown",
    // Protocol
    /// The protocol or experiment has a format that this program does not read.
    FormatUnknown = "format-unknown",
    /// Two criteria or endpoints have one id, or a subgroup is declared twice.
    DuplicateId = "duplicate-id",
    /// A text in `[reads]` has two meanings (upper and lower case count as equal).
    ReadAmbiguous = "read-ambiguous",
    /// A key of `[reads]` that the declared format does not look at, or two that exclude each other.
    ReadsKeyUnused = "reads-key-unused",
    /// Keys that say where a case table's fields stand exclude each other.
    ColumnsKeyUnused = "columns-key-unused",
    /// Not a comparison of a confidence bound with a number.
    Criterion = "criterion",
    /// No primary endpoint.
    EndpointMissing = "endpoint-missing",
    /// Keys of an endpoint that exclude or need each other.
    EndpointKeys = "endpoint-keys",
    /// An endpoint is compared with what the protocol does not declare, or the other way round.
    ComparatorMissing = "comparator-missing",
    /// A margin is missing, or of the wrong sign or size.
    Margin = "margin",
    /// A margin without the clinical reason for it.
    JustificationMissing = "justification-missing",
    /// Shares of α or transitions that are no graph.
    GraphShares = "graph-shares",
    /// The rule of multiplicity does not cover the declared endpoints.
    MultiplicityUncovered = "multiplicity-uncovered",
    /// `[scores]` with `source = "lock"`: there is no lock.
    OperatingPointWithoutLock = "operating-point-without-lock",
    /// Both `[model]` and `[scores]`.
    ModelAndScores = "model-and-scores",
    /// `[model]` without `data.development`.
    DevelopmentMissing = "development-missing",
    /// A rule needs a source label, and the NIH table has none without `positive_findings`.
    SourceLabelMissing = "source-label-missing",
    // What a protocol means
    /// A criterion compares the estimate instead of a confidence bound.
    CriterionOnEstimate = "criterion-on-estimate",
    /// A criterion is met by a bad device: an upper bound of what is better when greater, or the reverse.
    CriterionWrongWay = "criterion-wrong-way",
    /// The goal of a criterion lies beyond what the metric can be; a percentage in place of a share is one.
    GoalOutOfRange = "goal-out-of-range",
    /// Every result meets the criterion.
    GoalSaysNothing = "goal-says-nothing",
    /// A device without any skill has the goal.
    GoalAtChance = "goal-at-chance",
    /// A perfect result does not meet the criterion: too few cases count; an error where no composition of
    /// the sample changes that.
    GoalUnreachable = "goal-unreachable",
    /// A perfect result alone meets the criterion.
    GoalNearPerfect = "goal-near-perfect",
    /// What is expected does not satisfy the criterion or the margin, or does so too rarely at the planned
    /// size to be met more often than missed.
    GoalBeyondExpected = "goal-beyond-expected",
    /// The planned size has less than the declared power where the device is as expected.
    PowerShort = "power-short",
    /// A margin of non-inferiority or equivalence that gives half of a device's worth away.
    MarginWide = "margin-wide",
    /// Two endpoints ask the same of one metric.
    EndpointRepeated = "endpoint-repeated",
    /// Sensitivity is judged and specificity is not, or the reverse.
    EndpointOneSided = "endpoint-one-sided",
    /// No endpoint is judged at the operating point.
    ThresholdUnjudged = "threshold-unjudged",
    /// A primary endpoint follows from how common the finding is in the sample.
    PrimaryDependsOnSample = "primary-depends-on-sample",
    /// A criterion on F1, PPV or another such metric in a sample of declared composition.
    SampleNotComparable = "sample-not-comparable",
    /// The declared prevalence in intended use is the share that the sample was enriched to.
    PrevalenceOfSample = "prevalence-of-sample",
    /// A normal interval with fewer than 30 cases of a class.
    IntervalFewCases = "interval-few-cases",
    /// A percentile or basic bootstrap of a share that is to be shown near 1.
    IntervalNearLimit = "interval-near-limit",
    /// `--protocol-only`: an interval takes cases as independent, and several images of a patient may be
    /// drawn.
    IntervalAssumesOneImage = "interval-assumes-one-image",
    /// The bootstrap draws images, and several images of a patient may be in the sample.
    ResamplingIgnoresPatients = "resampling-ignores-patients",
    /// A primary endpoint that shows nothing where its interval collapses.
    FallbackNone = "fallback-none",
    /// Limits are quantiles of fewer than 1000 replicates, or fewer than 5 lie beyond each.
    ReplicatesFew = "replicates-few",
    /// The confidence level is below 0.95.
    LevelUnusual = "level-unusual",
    /// The sample is drawn with cases of one class.
    SampleOneClass = "sample-one-class",
    /// Nothing says where the cases come from.
    DataSourceMissing = "data-source-missing",
    /// The finding of the study and the findings that make a case positive have no word in common.
    FindingDisagrees = "finding-disagrees",
    /// The development table is the table of the study's cases.
    DevelopmentIsTestSet = "development-is-test-set",
    /// There is no intended-use gate.
    GateMissing = "gate-missing",
    /// A criterion and the gate admit nobody together.
    GateExcludesAll = "gate-excludes-all",
    /// The gate asks for ages or views that no criterion asks for: refused cases may be drawn.
    GateNotInEligibility = "gate-not-in-eligibility",
    /// A criterion keeps a case that does not say what the gate asks for.
    MissingDisagrees = "missing-disagrees",
    /// The reason of a criterion names what its rule does not measure: an exclusion without an operational
    /// definition.
    ExclusionUndefined = "exclusion-undefined",
    /// The reason of a criterion has other numbers than its rule.
    ReasonDisagrees = "reason-disagrees",
    /// A look-back window of 0 days.
    LookbackEmpty = "lookback-empty",
    /// Earlier images count however old they are.
    LookbackMissing = "lookback-missing",
    /// Two criteria are one rule.
    CriterionRepeated = "criterion-repeated",
    /// A criterion on age admits every age.
    CriterionAdmitsAll = "criterion-admits-all",
    /// The text of a rule cannot be read.
    RuleSyntax = "rule-syntax",
    /// A rule, or two places of the protocol, take a column for what it is not: numbers for days, texts in an
    /// order.
    RuleType = "rule-type",
    /// A rule that no case can satisfy.
    RuleExcludesAll = "rule-excludes-all",
    /// A rule chooses cases by the source label.
    RuleByLabel = "rule-by-label",
    /// No case has a value that a criterion admits.
    ValueNotEncountered = "value-not-encountered",
    /// No subgroup by sex, or none by age.
    SubgroupsMissing = "subgroups-missing",
    /// `subgroup_minimum` is below 10.
    SubgroupMinimumLow = "subgroup-minimum-low",
    /// The criteria admit one value of a subgroup's variable.
    SubgroupOneLevel = "subgroup-one-level",
    /// A level of a subgroup cannot have as many cases as `subgroup_minimum` asks for.
    SubgroupUnreachable = "subgroup-unreachable",
    /// No drawn case is in a declared level of a subgroup.
    SubgroupNotEncountered = "subgroup-not-encountered",
    /// A claim in every level of a subgroup, and no criterion for it.
    PoweredWithoutCriterion = "powered-without-criterion",
    /// A band lies outside the ages that the criteria admit.
    BandOutsideEligibility = "band-outside-eligibility",
    /// Ages that the criteria admit are in no band.
    BandsGap = "bands-gap",
    /// A site of the study's cases is one of the development cases; an error where the protocol states that
    /// none is.
    SiteOnBothSides = "site-on-both-sides",
    /// The protocol states that the study's sites are none of development, and nothing shows it.
    SitesNotShown = "sites-not-shown",
    /// Readers see a case twice, and little or no time is declared between.
    WashoutShort = "washout-short",
    /// One reader is the reference standard.
    SingleReader = "single-reader",
    /// An even number of readers and no rule for a tie.
    TiePossible = "tie-possible",
    /// One reader's word makes a consensus, where others were to read too.
    ConsensusOfOne = "consensus-of-one",
    /// A declared reader's reads are set aside.
    ReaderIgnored = "reader-ignored",
    /// The given reference standard is a column of the case table.
    ReferenceIsSourceLabel = "reference-is-source-label",
    /// The given reference standard comes from report text.
    ReferenceFromReports = "reference-from-reports",
    /// Several columns of scores, and `combine` was not typed.
    CombineUndeclared = "combine-undeclared",
    /// The threshold is chosen on the table that the test set is drawn from; as a warning: its rationale
    /// says so.
    ThresholdOnTestSet = "threshold-on-test-set",
    /// A threshold of 0, at which every case is positive; as a warning: of 1.
    ThresholdDegenerate = "threshold-degenerate",
    /// `device.toml` or the model lock has another threshold than the protocol, or `device.toml` has two.
    ThresholdDisagrees = "threshold-disagrees",
    /// `device.toml` holds a typed result.
    ResultTyped = "result-typed",
    /// A text of the protocol says that it is not finished.
    TextUnfinished = "text-unfinished",
    // Experiment
    /// The experiment, a path that a job file would name, or a word of a command line with `--json` is not
    /// UTF-8 text.
    NotUtf8 = "not-utf8",
    /// `initial_weights_sha256` with random initial weights.
    ValueContradiction = "value-contradiction",
    /// A stage says in no way, or in several, what it trains.
    StageTrainable = "stage-trainable",
    // Tables
    /// Not gzip, not CSV or not UTF-8; or a run's score table is not in its form.
    TableUnreadable = "table-unreadable",
    /// No header, or no row.
    TableEmpty = "table-empty",
    /// Commas and semicolons would both do, or `sep=` names another separator; as a warning: cells are
    /// separated by semicolons or tabs, and were read so.
    TableSeparator = "table-separator",
    /// The table is UTF-16 with its mark, and was read so.
    TableUtf16 = "table-utf16",
    /// A text has no line that is declared to name its columns.
    TableHeader = "table-header",
    /// A quote opens and is never closed: the rest of the file would be one cell.
    QuoteUnclosed = "quote-unclosed",
    /// Rows without any cell, as spreadsheets leave them, were left out.
    RowsEmpty = "rows-empty",
    /// A list of cases names none.
    ListEmpty = "list-empty",
    /// A workbook that cannot be read, or grows beyond what is read.
    WorkbookUnreadable = "workbook-unreadable",
    /// It is open which sheet of a workbook is meant, or the declared one is not there.
    WorkbookSheet = "workbook-sheet",
    /// A sheet has a title above the names of its columns.
    WorkbookHeader = "workbook-header",
    /// Cells with a formula and no value.
    WorkbookFormula = "workbook-formula",
    /// Hidden rows, columns or sheets.
    WorkbookHidden = "workbook-hidden",
    /// Merged cells.
    WorkbookMerged = "workbook-merged",
    /// A program for tables made a date of an id or an answer.
    WorkbookDate = "workbook-date",
    /// Ids that are numbers in a workbook have lost leading zeros, or digits.
    WorkbookNumber = "workbook-number",
    /// A table of sets has a row without its set.
    SplitMissing = "split-missing",
    /// A list names cases that are in no table; an error when it is all of them.
    ListCasesUnknown = "list-cases-unknown",
    /// Patients or cases of one set whose ids differ in form alone or look alike.
    IdsAlike = "ids-alike",
    /// An id begins as a formula does.
    CellFormula = "cell-formula",
    /// Patients of two sets that must be separate, whose ids differ in form alone or look alike.
    PatientProbablyShared = "patient-probably-shared",
    /// Cases that no list names; they are in the whole and in no set.
    CaseInNoList = "case-in-no-list",
    /// Two of the folders `images_001`, ... hold a file of one name.
    ImageAmbiguous = "image-ambiguous",
    /// No image has the finding that makes an image positive.
    FindingNotEncountered = "finding-not-encountered",
    /// `--subgroup` or `--stratify` names a variable that the tables do not have; with `--stratify` it is
    /// left out and said.
    VariableMissing = "variable-missing",
    /// `--stratify` names no variable.
    VariableUnknown = "variable-unknown",
    /// Two sets of one name.
    SetRepeated = "set-repeated",
    /// The wanted numbers do not add up to the images of the tables.
    SplitSizes = "split-sizes",
    /// Fewer patients than sets.
    SplitTooFew = "split-too-few",
    /// A column that is named or needed is not there.
    ColumnMissing = "column-missing",
    /// A column name occurs twice.
    ColumnDuplicate = "column-duplicate",
    /// A row has another number of cells than the header.
    RowLength = "row-length",
    /// More problems in this file than are listed.
    MoreProblems = "more-problems",
    // Cases
    /// The case's cell is empty.
    CaseIdMissing = "case-id-missing",
    /// The patient's cell is empty.
    PatientIdMissing = "patient-id-missing",
    /// The declared pattern finds no patient in what it looks at.
    PatientPattern = "patient-pattern",
    /// As declared, each case is taken as a patient of its own.
    PatientEachCase = "patient-each-case",
    /// Two rows of one case do not say the same of it.
    CaseContradicts = "case-contradicts",
    /// A case stands twice: in a table, in two case tables, or in the score table.
    DuplicateCase = "duplicate-case",
    /// A cell or a digest is not of its form, such as `old` for an age.
    ValueUnreadable = "value-unreadable",
    /// An NIH image has an empty `Finding Labels`: not the same as `No Finding`.
    FindingLabelsMissing = "finding-labels-missing",
    /// An NIH image has `No Finding` beside findings; `No Finding` is left out.
    FindingContradiction = "finding-contradiction",
    /// An NIH label is none of the 14 findings; it is kept as it stands, and is no positive one unless it is
    /// named so.
    FindingUnknown = "finding-unknown",
    /// An NIH age is above 122 or cannot be read; it is taken as not recorded.
    AgeImplausible = "age-implausible",
    /// Case ids, patient ids or image names look as if they held a name or a date; by line, never by value.
    IdentifierTelling = "identifier-telling",
    // Development data
    /// Development cases without a source label.
    LabelMissing = "label-missing",
    /// A side would have one class alone, or a stratum has fewer than two patients.
    SplitOneClass = "split-one-class",
    /// A patient is in training and tuning, or in development and study.
    PatientOnBothSides = "patient-on-both-sides",
    /// A case is in training and tuning, or in development and study.
    CaseOnBothSides = "case-on-both-sides",
    /// Cases of the study, drawn or not, share a patient, a case or an image file with a manifest of the
    /// training run; the message counts each (`verify`: exit 20).
    TrainedOnTestSet = "trained-on-test-set",
    // Images and DICOM
    /// An image, or its folder, is a link that leads out of the folder of images.
    ImageOutside = "image-outside",
    /// Very many images share a part of their hash and were not all compared with each other.
    LeakageCrowded = "leakage-crowded",
    /// Not a complete PNG or JPEG, or one too large; also: how many more such images there are.
    ImageUnreadable = "image-unreadable",
    /// `dataset folder --positive` names a sub-folder that holds no images.
    FolderClassUnknown = "folder-class-unknown",
    /// The pattern finds no patient in a file's name.
    FolderPatient = "folder-patient",
    /// The pattern finds no class in a file's name.
    FolderClass = "folder-class",
    /// No sub-folder holds an image.
    FolderEmpty = "folder-empty",
    /// A case id that would be a path out of the folder of images.
    PathUnsafe = "path-unsafe",
    /// Not a complete or not a well-formed DICOM file.
    DicomUnreadable = "dicom-unreadable",
    /// The transfer syntax is not read.
    DicomTransferSyntax = "dicom-transfer-syntax",
    /// The file has no pixel data, but for example a report.
    DicomPixelsMissing = "dicom-pixels-missing",
    /// The pixels are incomplete or contradict the header.
    DicomPixelsUnreadable = "dicom-pixels-unreadable",
    /// Not MONOCHROME1 or MONOCHROME2, or a colour JPEG inside.
    DicomColour = "dicom-colour",
    /// Several frames.
    DicomMultiFrame = "dicom-multi-frame",
    /// Bit numbers that are not read.
    DicomBits = "dicom-bits",
    /// `dicom phi`: BurnedInAnnotation is absent, and text may be burned into the picture.
    DicomBurnedInUnknown = "dicom-burned-in-unknown",
    /// A lookup table that would have to be applied.
    DicomLookupTable = "dicom-lookup-table",
    /// A window or rescale value that cannot be used.
    DicomWindow = "dicom-window",
    /// More pixels than are read; the message has the limit.
    ImageTooLarge = "image-too-large",
    /// Patient's Age is doubtful; the message says how it was taken.
    DicomAge = "dicom-age",
    /// View Position is absent, Patient Position was taken as the view.
    DicomViewFromPosition = "dicom-view-from-position",
    /// A DICOM file is not as the standard has it, and was read all the same.
    DicomIrregular = "dicom-irregular",
    /// Presentation LUT Shape contradicts the photometric interpretation.
    DicomPresentation = "dicom-presentation",
    // Study
    /// A criterion excluded no case.
    CriterionMatchedNothing = "criterion-matched-nothing",
    /// No case is eligible, or fewer than the target.
    TooFewEligible = "too-few-eligible",
    /// Fewer cases are eligible than are asked for, and the protocol takes what there is.
    SampleShort = "sample-short",
    /// No case is drawn of a stratum that has eligible ones.
    StratumNotDrawn = "stratum-not-drawn",
    /// Consecutive cases without a day.
    SampleOrderMissing = "sample-order-missing",
    /// The rule gives no threshold on the tuning cases.
    OperatingPoint = "operating-point",
    /// `source = "lock"`, and there is no `model/lock.json`.
    OperatingPointMissing = "operating-point-missing",
    /// Sampled cases without consensus: an error with `no_consensus = "refuse"`, otherwise a warning in the
    /// results.
    NoConsensus = "no-consensus",
    /// The analysed cases are all positive, all negative, or none.
    OneClass = "one-class",
    /// A result cannot be written as JSON.
    ResultsNotFinite = "results-not-finite",
    // Readers
    /// No file matches `reads.files`.
    ReadsMissing = "reads-missing",
    /// The register of imported readers' files is none, or contradicts itself.
    ReadsRegister = "reads-register",
    /// An imported readers' file is another one now, or gone.
    ReadsReplaced = "reads-replaced",
    /// A file whose columns cannot be taken out.
    WithholdUnsupported = "withhold-unsupported",
    /// A column of a readers' file identifies a person.
    IdentifiesPerson = "identifies-person",
    /// An import has a name that no pattern of `reads.files` matches.
    ReadsNotMatched = "reads-not-matched",
    /// An imported file has another format than the protocol declares.
    ReadsFormat = "reads-format",
    /// A correction without what it needs.
    CorrectionIncomplete = "correction-incomplete",
    /// A readers' file that was not imported, in a study whose other files were.
    ReadsUnregistered = "reads-unregistered",
    /// The file of a reading round is none, or contradicts itself.
    RoundUnreadable = "round-unreadable",
    /// `reads worklist`: the name cannot name files.
    RoundName = "round-name",
    /// A round of this name is there and is another one.
    RoundExists = "round-exists",
    /// The study has no round of this name.
    RoundUnknown = "round-unknown",
    /// `reads worklist --adjudication`: no case needs it.
    RoundEmpty = "round-empty",
    /// Nobody is named who could read the round, or somebody who is not to.
    RoundReader = "round-reader",
    /// An image is another one than when the round was made.
    RoundImage = "round-image",
    /// Images may have text in the picture, or their files do not rule it out.
    RoundBurnedIn = "round-burned-in",
    /// The study's images are not at hand: the round is not bound to what is shown.
    RoundWithoutImages = "round-without-images",
    /// `reads page`: one file that is too large to open quickly.
    PageLarge = "page-large",
    /// A form or an export of the reading page cannot be read.
    FormUnreadable = "form-unreadable",
    /// An export of the reading page was changed after the page wrote it.
    FormChecksum = "form-checksum",
    /// A form of another round or study.
    FormOtherRound = "form-other-round",
    /// A form of an older page, or of a round that was made again.
    FormOutdated = "form-outdated",
    /// A form of a reader who has no part in the round.
    FormReader = "form-reader",
    /// A form with a code that the round does not have, or one twice.
    FormCode = "form-code",
    /// Two forms of one reader in one round count, of two sessions or of one.
    FormTwice = "form-twice",
    /// A form lies among the readers' files of a platform.
    FormMisplaced = "form-misplaced",
    /// The case or the reader of a read is empty.
    ValueMissing = "value-missing",
    /// A read whose text has no declared meaning.
    ReadUnknown = "read-unknown",
    /// A read of a case that is not in the case table.
    UnknownCase = "unknown-case",
    /// Ids of readers' files that the map of cases does not have.
    CaseMapUnknown = "case-map-unknown",
    /// One id stands for two cases in the map of cases.
    CaseMapAmbiguous = "case-map-ambiguous",
    /// Answers without a declared meaning, with the lines that `[reads]` needs.
    ReadsWords = "reads-words",
    /// Readers whose ids differ in form alone.
    ReadersAlike = "readers-alike",
    /// A reader read a case twice.
    RepeatedRead = "repeated-read",
    /// `fixed_readers` is true, and not exactly the declared readers read.
    ReaderCount = "reader-count",
    /// More reads of a case count than the protocol declares readers.
    TooManyReaders = "too-many-readers",
    /// Keys of `[reference_standard]`, or readers and rule, contradict each other.
    ReferenceRule = "reference-rule",
    /// Readers who read and are not declared, where readers are.
    ReaderUndeclared = "reader-undeclared",
    /// The last of several reads cannot be told by its time.
    ReadLast = "read-last",
    /// Two adjudicators of one case do not say the same.
    AdjudicatorsDisagree = "adjudicators-disagree",
    /// A case has two different labels in a table of labels.
    LabelContradicts = "label-contradicts",
    /// A table of labels has none for any case of the study.
    LabelsMissing = "labels-missing",
    /// A reader labelled data that the device was trained on.
    ReaderLabelledTraining = "reader-labelled-training",
    /// A declared reader read no case.
    ReaderWithoutReads = "reader-without-reads",
    /// Reads of cases that are in no case table were left out, as the protocol declares.
    ReadsOfOtherCases = "reads-of-other-cases",
    /// The computed reference standard differs from the label that came with the reads.
    ReferenceDiffers = "reference-differs",
    /// A reader's file holds no read.
    ReadsNone = "reads-none",
    /// A file in the readers' folder that no pattern matches.
    ReadsFileUnmatched = "reads-file-unmatched",
    /// Answers that were cancelled or not completed are no reads.
    ReadsNotCounted = "reads-not-counted",
    /// Labels that an export marks as ground truth do not vote.
    ReadsGiven = "reads-given",
    /// An answer is no number of the declared scale.
    ReadOffScale = "read-off-scale",
    /// A rating of a reader study in a modality that the protocol does not name.
    ModalityUnknown = "modality-unknown",
    /// Readers and cases of a reader study do not meet as the protocol declares.
    ReadingDesign = "reading-design",
    /// A reader study has few readers.
    ReadersFew = "readers-few",
    /// A reader of a reader study also made the reference standard.
    ReaderOfReference = "reader-of-reference",
    /// Two reads of one case by one reader are nearer than the declared washout.
    WashoutBroken = "washout-broken",
    /// Reads are not dated, so the declared washout is not shown.
    WashoutNotShown = "washout-not-shown",
    /// Reads with the device were before those without it, where the order is declared as sequential.
    ReadingOrderBroken = "reading-order-broken",
    /// A box on a case that the list of what was read does not have.
    ReadUnlisted = "read-unlisted",
    /// The time of a read is none.
    TimeUnreadable = "time-unreadable",
    /// One answer has choices of different meaning.
    ChoicesContradict = "choices-contradict",
    /// A file's name does not say who read.
    ReaderPattern = "reader-pattern",
    /// What an export says of the case does not fit the pattern.
    CasePattern = "case-pattern",
    /// A file of the platform that holds no reads: a dictionary, a list of events, a configuration.
    ExportWithoutReads = "export-without-reads",
    /// The export of a platform that is known and not read.
    ExportUnsupported = "export-unsupported",
    /// Not JSON, or not in the form of the declared platform.
    JsonUnreadable = "json-unreadable",
    /// An export that holds marks and no answer on a whole image.
    ReadsPresenceOnly = "reads-presence-only",
    /// Several questions were answered, or the declared one was not.
    QuestionNeeded = "question-needed",
    /// An export with predictions of a model: readers may have seen them.
    PredictionsShown = "predictions-shown",
    /// Annotations that were rejected in a review are no reads.
    ReadsRejected = "reads-rejected",
    /// An export of Label Studio does not say what was cancelled.
    LabelStudioCancelled = "label-studio-cancelled",
    /// There is no line `BEGIN DATA:`.
    ImrmcBegin = "imrmc-begin",
    /// The numbers that an iMRMC file states are not those of its data.
    ImrmcCounts = "imrmc-counts",
    /// Not XML, or not whole.
    XmlUnreadable = "xml-unreadable",
    /// The case of an answer is an address.
    GrandChallengeAddresses = "grand-challenge-addresses",
    /// A DICOM report of another template than TID 1500.
    DicomSrTemplate = "dicom-sr-template",
    /// A DICOM report of a device.
    DicomSrDevice = "dicom-sr-device",
    /// A DICOM report that is not verified, or not complete.
    DicomSrState = "dicom-sr-state",
    /// REDCap's EAV export.
    RedcapEav = "redcap-eav",
    /// No column says whether a form was completed.
    RedcapCompletion = "redcap-completion",
    /// The boxes of a field stand in one column.
    RedcapCheckbox = "redcap-checkbox",
    /// Records of double data entry, and the reader is not declared to stand there.
    RedcapDoubleEntry = "redcap-double-entry",
    // Scores
    /// A case has no score and no reason; or `missing_score = "refuse"` and a reason is all there is.
    ScoreMissing = "score-missing",
    /// Not a finite number.
    ScoreNotANumber = "score-not-a-number",
    /// Outside 0 to 1.
    ScoreOutOfRange = "score-out-of-range",
    /// A score and a reason for none in one row.
    ScoreAndRefusal = "score-and-refusal",
    /// Fewer than two patients of the repeatability table have two scored images.
    RepeatsTooFew = "repeats-too-few",
    /// A case names no image.
    ImageMissing = "image-missing",
    /// A PNG or JPEG outside a study: the gate knows nothing of it.
    ImageWithoutHeader = "image-without-header",
    // Model
    /// Not a `.safetensors` file.
    WeightsUnreadable = "weights-unreadable",
    /// A tensor is not 32-bit float.
    WeightsType = "weights-type",
    /// Tensors of the network are not in the file.
    WeightsMissing = "weights-missing",
    /// Tensors that the network does not have.
    WeightsUnexpected = "weights-unexpected",
    /// Tensors of another shape.
    WeightsShape = "weights-shape",
    /// The tuning cases have one class alone.
    TuningOneClass = "tuning-one-class",
    /// The weights are those of another known network.
    WeightsOfAnother = "weights-of-another",
    /// A tensor holds NaN or an infinity.
    WeightsNotFinite = "weights-not-finite",
    /// The locked network gives no finite number for an image.
    ScoreNotFinite = "score-not-finite",
    /// The training diverged; the last saved state is kept.
    LossNotFinite = "loss-not-finite",
    /// `state.json` is not the state of a run.
    RunUnreadable = "run-unreadable",
    /// A file of the run is not the one that the run wrote.
    RunDamaged = "run-damaged",
    /// Not every epoch is done.
    RunIncomplete = "run-incomplete",
    /// `--device` names no device that there is.
    ProcessorUnknown = "processor-unknown",
    /// Libtorch finds no such device.
    ProcessorMissing = "processor-missing",
    /// `cache remove` names a part that is not there.
    CachePartUnknown = "cache-part-unknown",
    /// The exported module gives other logits than the locked model.
    ExportDiffers = "export-differs",
    /// Libtorch has too little memory.
    OutOfMemory = "out-of-memory",
    /// Libtorch reports another failure.
    TorchFailed = "torch-failed",
    /// The workers cannot be started.
    Threads = "threads",
    /// A table of the run cannot be made.
    TableUnwritable = "table-unwritable",
    /// A record of the run cannot be made.
    Json = "json",
    /// There is no `lock.json`.
    LockMissing = "lock-missing",
    /// `lock.json` is not a lock.
    LockUnreadable = "lock-unreadable",
    /// A lock of another format.
    LockFormat = "lock-format",
    /// The folder has a lock.
    AlreadyLocked = "already-locked",
    /// The locked weights are missing.
    WeightsNotThere = "weights-not-there",
    /// The weights are not those that were locked.
    WeightsDiffer = "weights-differ",
    // Evidence
    /// There is no bundle here.
    NotABundle = "not-a-bundle",
    /// `bagit.txt` is not the declaration of BagIt 1.0.
    BagDeclaration = "bag-declaration",
    /// A tag file is not in the tag manifest.
    ManifestIncomplete = "manifest-incomplete",
    /// A line of a manifest is not `<sha256>  <path>`.
    ManifestLine = "manifest-line",
    /// A manifest or `bag-info.txt` is not in the form in which it was written.
    ManifestForm = "manifest-form",
    /// Recorded, but not there.
    FileLost = "file-lost",
    /// The digest is not the recorded one.
    FileChanged = "file-changed",
    /// There, but not recorded.
    FileExtra = "file-extra",
    /// A file's name that the tools which check a bundle do not read alike: `%`, a control character, a line
    /// separator, a white space at its end, or bytes that are not UTF-8.
    FileName = "file-name",
    /// Two names of files or folders are one on a file system that ignores capitals, Unicode forms, trailing
    /// dots.
    FileNamesAlike = "file-names-alike",
    /// A name that another system does not keep: reserved on Windows, not in form NFC, with a character that
    /// does not show.
    FileNameUnportable = "file-name-unportable",
    /// Neither a file nor a folder, such as a link.
    FileKind = "file-kind",
    /// A file that every bundle has is not there.
    BundleIncomplete = "bundle-incomplete",
    /// Payload-Oxum is not the payload's.
    PayloadOxum = "payload-oxum",
    /// A file of the bundle cannot be understood.
    BundleUnreadable = "bundle-unreadable",
    /// The last line does not end.
    LedgerCut = "ledger-cut",
    /// A line is not an event, or not in canonical form.
    LedgerLine = "ledger-line",
    /// A line does not hold the digest of the line before, or has a wrong number.
    LedgerChain = "ledger-chain",
    /// An event stands, or would be added, where it may not (adding: exit 1).
    LedgerOrder = "ledger-order",
    // Audit
    /// The bundle does not have the root digest given with `--root`.
    RootDigest = "root-digest",
    /// The ledger names another digest than the file in the bundle has, or an input has none.
    LedgerDigest = "ledger-digest",
    /// The file of deviations is not as the program writes it.
    DeviationsInvalid = "deviations-invalid",
    /// The file of deviations does not hold what the ledger records.
    DeviationsDiffer = "deviations-differ",
    /// The study has evidence and no ledger.
    LedgerLost = "ledger-lost",
    /// The bundle's ledger is not the beginning of the study's.
    LedgerForeign = "ledger-foreign",
    /// A bundle whose root the study's ledger does not name.
    BundleUnpublished = "bundle-unpublished",
    /// A published bundle that is not there.
    BundleLost = "bundle-lost",
    /// A bundle in a folder of another run.
    BundleRenamed = "bundle-renamed",
    /// A file that is not what another one says of it.
    FileUnbound = "file-unbound",
    /// Something that `--require` demands is not shown.
    NotShown = "not-shown",
    /// The ledger holds a second or later opening of the test set without its reason.
    OpeningWithoutReason = "opening-without-reason",
    /// The inputs give a file that the bundle does not hold.
    ResultLost = "result-lost",
    /// The inputs give other bytes than were recorded; the first line that differs is shown.
    ResultDiffers = "result-differs",
    /// A document is not what the bundle renders to.
    ReportDiffers = "report-differs",
    /// A file among the documents that was not rendered.
    ReportExtra = "report-extra",
    /// A document is not there.
    ReportLost = "report-lost",
    /// `model/lock.json` is not the lock in the bundle.
    LockDiffers = "lock-differs",
    /// A document that `verify` was handed names another bundle or another model.
    DocumentOfAnother = "document-of-another",
    /// Two things that `verify --diff` was asked to compare are not two locks or two bundles.
    NotComparable = "not-comparable",
    /// Neither a plain file nor a folder: a pipe, a device, a socket.
    NotAFile = "not-a-file",
    /// A training or tuning manifest is not the one that the lock names.
    ManifestDiffers = "manifest-differs",
    /// The tuning scores in the bundle give another threshold than is locked.
    OperatingPointDiffers = "operating-point-differs",
    /// `verify --rescore`: the locked model gives another score, or the lock's gate another decision, than is
    /// recorded.
    ScoreDiffers = "score-differs",
    /// `verify --rescore`: the image is not the one that was scored.
    ImageDiffers = "image-differs",
    /// `verify --rescore` finds no folder of the locked model.
    RescoreWithoutModel = "rescore-without-model",
    /// `verify --rescore` finds no folder of images.
    RescoreWithoutImages = "rescore-without-images",
    // Signatures
    /// A file or text is no key of a kind that is read.
    KeyUnreadable = "key-unreadable",
    /// A private key needs a passphrase, and there is none, or another.
    KeyPassphrase = "key-passphrase",
    /// What is signed is no statement of this program.
    StatementMalformed = "statement-malformed",
    /// No DSSE envelope and no SSHSIG, or a file that is none of the signatures'.
    SignatureMalformed = "signature-malformed",
    /// The signature is not one of these bytes by this key.
    SignatureInvalid = "signature-invalid",
    /// A signature in a way that this program cannot check.
    SignatureUnsupported = "signature-unsupported",
    /// A signature of another bundle than this one.
    SignatureForeign = "signature-foreign",
    /// A signed statement says what the bundle contradicts.
    StatementDiffers = "statement-differs",
    /// A signature by a key that `trust.toml` does not hold.
    SignerUnknown = "signer-unknown",
    /// A trusted key signed under another name, in another role or with another meaning.
    SignerNotEntitled = "signer-not-entitled",
    /// A statement of a day on which the key does not count.
    KeyExpired = "key-expired",
    /// The ledger does not hold a head that was signed.
    LedgerBehindSignature = "ledger-behind-signature",
    /// `ssh-keygen` is not there, or did not sign.
    SshKeygen = "ssh-keygen",
    // Time stamps
    /// A file is no time-stamp token that is read.
    TimestampUnreadable = "timestamp-unreadable",
    /// A time-stamp token is of other bytes.
    TimestampOtherBytes = "timestamp-other-bytes",
    /// A time-stamp token's signature is not its authority's.
    TimestampSignature = "timestamp-signature",
    /// The certificate of a time-stamp token is not for time stamping, or one above it may not issue.
    TimestampUsage = "timestamp-usage",
    /// A certificate of a time-stamp token was not valid at the token's time.
    TimestampExpired = "timestamp-expired",
    /// No chain leads from a time-stamp token to a given certificate.
    TimestampUntrusted = "timestamp-untrusted",
    /// A file of certificates holds none that can be read.
    CertificateUnreadable = "certificate-unreadable",
    // Custody
    /// A key of age is none, or of another kind.
    AgeKey = "age-key",
    /// A file is not encrypted in the format of age.
    AgeFormat = "age-format",
    /// A file is encrypted to another key.
    AgeOtherKey = "age-other-key",
    /// An encrypted file was changed or cut.
    AgeDamaged = "age-damaged",
    /// A file is no commitment as `commit` writes it.
    CommitmentUnreadable = "commitment-unreadable",
    /// A commitment would come after the test set was opened, or did.
    CommitmentLate = "commitment-late",
    /// The study is not the one that was committed to.
    CommitmentDiffers = "commitment-differs",
    /// There is no commitment to which a token could belong.
    CommitmentMissing = "commitment-missing",
    /// A list of sealed files, a request, or a custodian's ledger is none, or not in its one form.
    CustodyUnreadable = "custody-unreadable",
    /// Readers' files are sealed already, or the test set was opened.
    AlreadySealed = "already-sealed",
    /// Nothing was sealed with a custodian.
    NotSealed = "not-sealed",
    /// A readers' file is not the one that was sealed.
    SealedReadsDiffer = "sealed-reads-differ",
    /// A custodian has counted otherwise than a study asks, or a further opening has no reason.
    OpeningNumber = "opening-number",
    /// An opening was not granted.
    GrantMissing = "grant-missing",
    /// A grant is of something else.
    GrantDiffers = "grant-differs",
    /// The custodian granted an opening that the evidence does not tell of.
    OpeningHidden = "opening-hidden",
    // Changes
    /// A change control plan names a subgroup that the protocol does not declare.
    ChangeSubgroup = "change-subgroup",
    /// A text of a change control plan is as the template left it.
    ChangeUnwritten = "change-unwritten",
    /// The study is not one of a change control plan, or the plan is not that of a study.
    ChangePlanMissing = "change-plan-missing",
    /// What is built on does not verify, is not what the plan names, or was not accepted itself.
    ChangePredecessor = "change-predecessor",
    /// The predecessor or the new version has no lock.
    ChangeWithoutLock = "change-without-lock",
    /// The new version's lock is the predecessor's.
    ChangeNone = "change-none",
    /// A new version is assessed before its plan was locked.
    ChangePlanUnlocked = "change-plan-unlocked",
    /// The change control plan is not the one that was locked.
    ChangePlanChanged = "change-plan-changed",
    /// The new version shows a kind of change that its plan does not allow.
    ChangeForbidden = "change-forbidden",
    /// The test set was opened as often as the plan allows.
    ChangeOpenings = "change-openings",
    /// Two bundles that should follow each other do not.
    ChangeChain = "change-chain",
    // Documents
    /// A template is not UTF-8, or fails when it is filled.
    Template = "template",
    /// A template cannot be parsed.
    TemplateSyntax = "template-syntax",
    /// There is no `submission.md`.
    TemplateMissing = "template-missing",
    /// The data for the templates cannot be made.
    TemplateContext = "template-context",
    /// What a template asks for could cost more than a document may.
    TemplateCost = "template-cost",
    /// A template holds a typed result.
    LiteralNumber = "literal-number",
    /// `safe`, `float` or `round` in a template.
    UnsafeFilter = "unsafe-filter",
    /// A template holds raw HTML.
    RawHtml = "raw-html",
    /// A template holds an image.
    ImageInTemplate = "image-in-template",
    /// A code block that stands for nothing.
    UnknownPlaceholder = "unknown-placeholder",
    /// No such estimate in `results.json`.
    UnknownEstimate = "unknown-estimate",
    /// `show` is not one of its words.
    UnknownShow = "unknown-show",
    /// No such table.
    UnknownTable = "unknown-table",
    /// A figure's name is not a plain file name.
    FigureName = "figure-name",
    /// No such figure.
    UnknownFigure = "unknown-figure",
    /// The bundle has no such file.
    UnknownDigest = "unknown-digest",
    /// `of` is not `lock`, `protocol` or `device`.
    UnknownValue = "unknown-value",
    /// No such text.
    UnknownText = "unknown-text",
    /// No font has a character that a PDF prints.
    FontMissing = "font-missing",
    /// A font cannot be read.
    FontUnreadable = "font-unreadable",
    /// A numeral of a document comes from nowhere that is known.
    NumeralUntraced = "numeral-untraced",
    /// Typed words have another number than the evidence.
    TypedContradicts = "typed-contradicts",
    /// A document has a digest that no file of the evidence has.
    DigestStale = "digest-stale",
    /// Typed words say more than the study shows.
    Overclaim = "overclaim",
    /// Words name a table or a figure that is not there.
    ReferenceMissing = "reference-missing",
    /// A caption names what its table or figure does not have.
    CaptionUnfit = "caption-unfit",
    /// Numbers do not agree with each other.
    NumbersDisagree = "numbers-disagree",
    /// A file with styles for DOCX cannot be read.
    DocxTemplate = "docx-template",
    /// A draft that was written before and is another now would be replaced.
    DraftThere = "draft-there",
    /// The PDF cannot be made.
    Typesetting = "typesetting",
    /// A PDF is larger than an eCopy takes.
    EcopyTooLarge = "ecopy-too-large",
    /// The bundle's date is not RFC 3339.
    Date = "date",
    // Synthetic studies
    /// A number of cases or a size outside its range.
    SyntheticSettings = "synthetic-settings",
    /// The folder is there already.
    FolderExists = "folder-exists",
    /// A generated DICOM file cannot be made.
    DicomEncode = "dicom-encode",
    // Commands
    /// `--patient` is no regular expression.
    Regex = "regex",
    /// A file of this name with other content is there.
    FileExists = "file-exists",
    /// A wrong command line where no other code says more, or a variable that is no text.
    Usage = "usage",
    /// `reads` without a study.
    StudyMissing = "study-missing",
    /// A number on the command line outside its range, or options that need each other.
    OptionOutOfRange = "option-out-of-range",
    /// `--device-reader` names no reader of the table.
    DeviceUnknown = "device-unknown",
    /// `explain` names neither a key nor a code.
    NameUnknown = "name-unknown",
    /// `--metric` names none.
    MetricUnknown = "metric-unknown",
    /// There is no `protocol.toml`.
    NotAStudy = "not-a-study",
    /// This build has no libtorch.
    TorchMissing = "torch-missing",
    /// There is no `device.toml`.
    DeviceMissing = "device-missing",
    /// A criterion admits other ages, views, modalities or body parts than the gate.
    GateDisagrees = "gate-disagrees",
    /// `device.toml` speaks of other ages or views than gate and criteria.
    IndicationsDisagree = "indications-disagree",
    /// `device.toml` names the regulation of triage, and the protocol declares no worklist.
    TriageUndeclared = "triage-undeclared",
    /// An endpoint depends on the sample's prevalence (also a warning in the results).
    PrevalenceDependent = "prevalence-dependent",
    /// The protocol is not the one that was locked.
    ProtocolChanged = "protocol-changed",
    /// A table that `rehearse` simulated, in a study that is no rehearsal.
    RehearsalData = "rehearsal-data",
    /// An expectation of an endpoint that there is not.
    ExpectedEndpoint = "expected-endpoint",
    /// `protocol amend` or `protocol deviation` before the protocol was locked.
    ProtocolNotLocked = "protocol-not-locked",
    /// An amendment whose reason says nothing.
    AmendmentReason = "amendment-reason",
    /// What is said of a deviation is no day, no word or no case.
    DeviationInvalid = "deviation-invalid",
    /// The case tables give another cohort than was sealed.
    SealedDataChanged = "sealed-data-changed",
    /// The test set was opened before, and inputs or results are others.
    SecondOpening = "second-opening",
    /// `train` or `lock` on a study without `[model]`.
    ModelNotDeclared = "model-not-declared",
    /// The protocol names no image folder.
    ImagesMissing = "images-missing",
    /// `score` on a study with `[scores]`.
    ScoresExternal = "scores-external",
    /// A plan of so many shards, or such a shard, cannot be.
    ShardCount = "shard-count",
    /// There is no plan of shards.
    ShardPlanMissing = "shard-plan-missing",
    /// The plan of shards or its cases cannot be read, or its cases are missing or not those of the plan.
    ShardPlanUnreadable = "shard-plan-unreadable",
    /// The plan of shards, or shards that lie there, are of another model, cohort or number.
    ShardPlanDiffers = "shard-plan-differs",
    /// Shards of the plan are not finished.
    ShardMissing = "shard-missing",
    /// A shard, or a row of it, that the plan does not have there.
    ShardForeign = "shard-foreign",
    /// The record of a shard cannot be read, or its table is not the one that was finished or lacks cases.
    ShardDamaged = "shard-damaged",
    /// There is no training run here.
    RunMissing = "run-missing",
    /// The folder holds a run with other inputs; the message says what differs.
    RunOfAnother = "run-of-another",
    /// The declared initial weights are not there.
    InitialWeightsMissing = "initial-weights-missing",
    /// The initial weights do not have the declared digest.
    InitialWeightsDiffer = "initial-weights-differ",
    /// A label or read that is not one of two values.
    LabelNotBinary = "label-not-binary",
    /// A read that `--categories` does not name.
    CategoryUnknown = "category-unknown",
    /// `metrics`: the cluster of a row is empty.
    ClusterMissing = "cluster-missing",
    /// `metrics`: rows without label or score were left out, as asked.
    RowsSkipped = "rows-skipped",
    /// `metrics`: scores outside 0 to 1; calibration is not computed.
    NotProbabilities = "not-probabilities",
    /// `metrics paired`, `metrics unpaired`: counts that are no whole numbers, or fit no table.
    CountMalformed = "count-malformed",
    /// `metrics multiplicity`: hypotheses, p values or shares that cannot be read.
    HypothesisMalformed = "hypothesis-malformed",
    // Comparison
    /// The contenders did not score the same cases.
    CasesDiffer = "cases-differ",
    /// No case was scored by all.
    NoCommonCase = "no-common-case",
    /// Contenders have different labels of a case.
    LabelsDisagree = "labels-disagree",
    /// Contenders name different patients for a case.
    PatientsDisagree = "patients-disagree",
    /// Runs were trained with different image files of a case.
    ImagesDisagree = "images-disagree",
    /// Two contenders have the same scores, byte for byte.
    RunRepeated = "run-repeated",
    /// Two contenders have one name.
    NameRepeated = "name-repeated",
    /// The lock beside a run was made from other tuning scores.
    LockOfAnotherRun = "lock-of-another-run",
    /// More than twelve contenders.
    TooManyContenders = "too-many-contenders",
    /// An option names a contender that is not there.
    ContenderUnknown = "contender-unknown",
    /// An ensemble that cannot be read, or has a member twice.
    EnsembleMalformed = "ensemble-malformed",
    /// Weights that are not above 0 or do not sum to 1.
    EnsembleWeights = "ensemble-weights",
    /// `--reference` names a contender whose weights were chosen on these cases.
    ReferenceExploratory = "reference-exploratory",
    /// Some, and not all, of tp, fn, fp, tn.
    CountsIncomplete = "counts-incomplete",
    /// A published model without counts, so without numbers of cases.
    ClassSizesMissing = "class-sizes-missing",
    /// Counts that do not sum to `--positives` and `--negatives`.
    ClassSizesDiffer = "class-sizes-differ",
    /// `--out` names a folder that holds something else than an earlier comparison.
    OutOccupied = "out-occupied",
    // Monitoring
    /// A monitoring plan that is written well and cannot mean what it says.
    MonitoringPlan = "monitoring-plan",
    /// What the validation has cannot be watched by a chart or beside a column of the plan.
    MonitoringChart = "monitoring-chart",
    /// A plan is sealed already.
    MonitoringSealed = "monitoring-sealed",
    /// A batch is added to a plan that is not sealed, or a report asked of it.
    MonitoringNotSealed = "monitoring-not-sealed",
    /// The plan is another one than was sealed.
    MonitoringPlanChanged = "monitoring-plan-changed",
    /// A seal, cohort, batch or alarm is not the one that the ledger of batches records.
    MonitoringFile = "monitoring-file",
    /// Rows of another lock or version than the plan is sealed for.
    BatchDevice = "batch-device",
    /// The month of a batch is not known, or a row lies in another one.
    BatchMonth = "batch-month",
    /// A batch of a month that lies before the last one.
    BatchOutOfOrder = "batch-out-of-order",
    /// A batch of a month, or a file, that was added already.
    BatchTwice = "batch-twice",
    /// A file lies among the batches and no event says that it was added.
    BatchNotAdded = "batch-not-added",
    /// Old and new data have a case or patient in common, so they are not independent.
    VersionsShared = "versions-shared",
    // Warnings in results
    /// `compare --common`: the contenders did not score the same cases.
    CommonCasesOnly = "common-cases-only",
    /// `compare`: no table names patients, so cases are taken as independent.
    PatientsUnknown = "patients-unknown",
    /// `compare --counts`: rows without counts take the numbers of cases of the others.
    ClassSizesAssumed = "class-sizes-assumed",
    /// `compare --counts`: single cases are not known.
    UnpairedApproximation = "unpaired-approximation",
    /// A difference of published AUCs, compared without pairing.
    Unpaired = "unpaired",
    /// Cases were made by a program.
    Synthetic = "synthetic",
    /// A rehearsal: scores and reads were simulated.
    Rehearsal = "rehearsal",
    /// Several cases of one patient, and declared intervals that take cases as independent.
    ClusteredCases = "clustered-cases",
    /// Sampled cases without a score.
    NoScore = "no-score",
    /// Subgroups smaller than the declared minimum.
    SubgroupInsufficient = "subgroup-insufficient",
    /// This subgroup is smaller than the minimum.
    Insufficient = "insufficient",
    /// This interval or test takes cases of one patient as independent.
    ClusteringIgnored = "clustering-ignored",
    /// No interval by the declared method; the message says why.
    IntervalNotEvaluable = "interval-not-evaluable",
    /// The declared interval of an endpoint is a point or all but one.
    IntervalCollapsed = "interval-collapsed",
    /// A share without an error, or a class without spread: asymptotic and bootstrap intervals see nothing
    /// there.
    AtBoundary = "at-boundary",
    /// The spread of the declared interval rests on one case or patient.
    RestsOnOneCase = "rests-on-one-case",
    /// An endpoint was judged by another interval than the declared one, or by none.
    FallbackDecided = "fallback-decided",
    /// Bootstrap replicates that could not be evaluated were left out.
    ReplicatesDropped = "replicates-dropped",
    /// ECE and MCE are above 0 by chance where calibration is perfect.
    BiasedUpwards = "biased-upwards",
    /// An interval reaches beyond what is possible: the basic bootstrap knows no bounds.
    BeyondRange = "beyond-range",
    /// `--site` names a column with one value.
    OneSite = "one-site",
    /// Sites without an AUC that has a variance do not enter the test of AUCs.
    SitesLeftOut = "sites-left-out",
    /// The chi-squared test over sites expects fewer than 5 cases in a cell.
    SmallExpectation = "small-expectation",
    /// A variance or a component of it that is not above 0.
    VarianceNotPositive = "variance-not-positive",
    /// The cases do not vary, so the interval or the variance is a point.
    NoSpread = "no-spread",
    /// A bootstrap that would take minutes on so many cases was not run, or its law has no closed form for
    /// `--bootstrap exact`.
    BootstrapLeftOut = "bootstrap-left-out",
    /// With so few cases (or patients) in a class the intervals cover less often than their level says;
    /// `docs/coverage.md` has the simulation.
    SmallClass = "small-class",
    /// The classes do not overlap: estimated variances are zero.
    PerfectSeparation = "perfect-separation",
    /// McNemar: both are right on the same cases.
    NoDiscordantCase = "no-discordant-case",
    /// Reader against the others: cases where the others have no majority are left out.
    OthersUndecided = "others-undecided",
    /// Two readers gave the same read on all their common cases, or nearly so.
    ReadsIdentical = "reads-identical",
    /// A contender of a comparison has two scores alone, so that its AUC is that of one point.
    TwoValuedScores = "two-valued-scores",
    /// A table of reads names two patients for one case.
    CasePatients = "case-patients",
    /// A name of a person or role that is empty, holds a control character or is no text.
    WhoInvalid = "who-invalid",
    /// `device.toml`: a number of the predicate without its source.
    ComparisonSource = "comparison-source",
    /// `device.toml`: a row that differs from the predicate and is not discussed.
    ComparisonDiscussion = "comparison-discussion",
    /// `device.toml`: a share of the intended population without its source.
    PopulationSource = "population-source",
    /// `device.toml`: shares of the intended population that add up to more than all of it, or one twice.
    PopulationShares = "population-shares",
    /// `device.toml`: a drafted limitation that is declined without a reason.
    LimitationReason = "limitation-reason",
    /// `device.toml`: a key that no document asks for.
    DeviceKeyUnknown = "device-key-unknown",
    /// A document asks for a fact that the evidence does not have.
    UnknownFact = "unknown-fact",
    /// The public 510(k) summary holds what identifies a case, patient, reader or input.
    SummaryIdentifier = "summary-identifier",
}
