//! The device alone beside the mean of the readers (Hupse 2013, Chakraborty 2017): its area, and its
//! sensitivity and specificity, for the three populations.

use super::asked::{Asked, usage};
use super::figures_of_merit::{Merit, Names, Section, covariances_of_shares, line, line_of_share};
use crate::diagnostic::{Code, Result};
use crate::reads::ratings::Ratings;
use crate::statistics::mrmc::device::{AgainstDevice, against_device, u_against_device};
use crate::statistics::mrmc::{CovarianceMethod, Inference, Moments, ReaderStudy, covariances};

impl Merit {
    /// The device alone; `whole` has the readers' modality and then the device's.
    pub(super) fn beside_device(
        &mut self,
        whole: &ReaderStudy,
        device: &str,
        names: &Names<'_>,
        asked: &Asked,
    ) -> Result<()> {
        if whole.modalities[1].len() != 1 {
            let message = format!("`{device}` has {} readers; a device is one", whole.modalities[1].len());
            return Err(usage(message, "give the device's scores under one name in the reader's column"));
        }
        let moments = Moments::new(whole);
        let method = asked.covariances.unwrap_or_else(|| CovarianceMethod::of_study(whole));
        let aucs = whole.aucs();
        let of = format!("{device} - {}", names.modalities[0]);
        let found = covariances(whole, &moments, method)
            .and_then(|matrix| against_device(&aucs[0], aucs[1][0], &matrix, asked.level));
        let Some(found) = found else {
            self.warn(
                Code::IntervalNotEvaluable,
                "the device cannot be set beside the readers: two readers at \
                      least, and two cases of each class, are needed",
            );
            return Ok(());
        };
        self.add_device(device, &of, &found, method.id());
        if whole.patients.is_none()
            && let Some((u, _)) = u_against_device(whole, &moments, 0, 1)
        {
            let value = -u.estimate;
            let lines = vec![line(of, value, turned(u.infer(asked.level)))];
            let method = "the device alone, for other readers and other cases; U-statistics of the \
                          difference of kernels";
            self.sections.push(Section {
                id: "device-u-statistics",
                method: method.to_owned(),
                lines,
                global: None,
            });
        }
        Ok(())
    }
}

impl Merit {
    /// The device alone, for the three populations.
    fn add_device(&mut self, device: &str, of: &str, found: &AgainstDevice, by: &str) {
        let by = format!("(Hupse 2013, Chakraborty 2017), covariances {by}");
        let parts = [
            ("device-readers-and-cases", "for other readers and other cases", found.readers_and_cases),
            ("device-cases", "for other cases, these readers", found.cases),
            ("device-readers", "for other readers, these cases", found.of_readers),
        ];
        for (id, what, inference) in parts {
            self.sections.push(Section {
                id,
                method: format!("the device alone, {what} {by}"),
                lines: vec![
                    line_of_share(device.to_owned(), found.device, found.of_device),
                    line(of.to_owned(), -found.difference, turned(inference)),
                ],
                global: None,
            });
        }
    }

    /// The device's share beside the mean of the readers'. `cuts` are the readers' modality and the device's,
    /// each with the rating from which on one is a positive call.
    pub(super) fn shares_beside_device(
        &mut self,
        ratings: &Ratings,
        cuts: &[(usize, f64); 2],
        names: &Names<'_>,
        asked: &Asked,
    ) {
        let positive = self.metric == "sensitivity";
        let shares = ratings.shares(cuts, positive);
        let (matrix, by) = covariances_of_shares(ratings, &shares, positive);
        let device = &ratings.modalities[cuts[1].0];
        let of = format!("{device} - {}", names.modalities[0]);
        let found = shares.shares().zip(matrix).and_then(|(values, matrix)| {
            against_device(values.first()?, *values.get(1)?.first()?, &matrix, asked.level)
        });
        match found {
            Some(found) => self.add_device(device, &of, &found, by),
            None => self.warn(
                Code::IntervalNotEvaluable,
                "the device cannot be set beside the readers: two readers at least, and two cases of the \
                 class, are needed",
            ),
        }
    }
}

/// The other way round.
fn turned(one: Option<Inference>) -> Option<Inference> {
    one.map(|one| Inference {
        estimate: -one.estimate,
        limits: (-one.limits.1, -one.limits.0),
        statistic: -one.statistic,
        ..one
    })
}
