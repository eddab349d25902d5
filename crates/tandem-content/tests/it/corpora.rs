//! Real logs, found by `TANDEM_CORPORA`: a folder in which each archive is unpacked under its name.

use crate::site::{built_in, files};
use std::fs::File;
use tandem_content::Workbench;
use tandem_detect::Detector;
use tandem_model::Level;

/// Every eighth of the recorded attacks; `docs/measured/rules.md` has the figures of all.
#[test]
fn a_sample_of_recorded_attacks_is_noticed() {
    let Some(root) = tandem_testkit::corpora("a_sample_of_recorded_attacks_is_noticed") else { return };
    let (parsers, rules) = built_in();
    let detector = Detector::new(rules.rules);
    let mut noticed = 0;
    let mut all = 0;
    for path in files(&root.join("evtx-attack"), ".evtx").into_iter().step_by(8) {
        let mut highest = Level::Informational;
        Workbench::with(&parsers, detector.another())
            .file(&path.to_string_lossy(), File::open(&path).unwrap(), &mut |_, found| {
                for detection in found {
                    highest = highest.max(detection.level);
                }
            })
            .unwrap();
        all += 1;
        noticed += u32::from(highest >= Level::Medium);
    }
    println!("{noticed} of {all} files");
    assert_eq!(all, 60);
    assert!(noticed >= 48, "only {noticed} of {all}");
}
