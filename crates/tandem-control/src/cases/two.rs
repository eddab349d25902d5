//! Acts that touch two cases.

use crate::acts::{Deed, record};
use crate::cases::{CaseChanged, Enter, enter_history, load, save};
use crate::control::Writer;
use crate::detections::{load_case_detections, move_detections};
use crate::error::Doing;
use crate::{Control, ControlError};
use serde_json::json;
use sqlx::Connection;
use std::collections::HashSet;
use tandem_model::{Detection, DetectionId};
use tandem_service::{Actor, Case, CaseId, merge, split};

/// A split reads all detections of the case; beyond this it is refused.
const SPLIT_MAX: usize = 20_000;

impl Control {
    /// `from` becomes part of `into`. Answers `into`.
    pub async fn case_merge(&self, actor: &Actor, from: CaseId, into: CaseId) -> Result<Case, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, ahead, .. } = &mut *writer;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let mut leaving = load(&mut tx, from).await?;
        let mut taking = load(&mut tx, into).await?;
        let (leaves, takes) = merge(&leaving, &taking)?;
        leaving.apply(&leaves, actor.is_person(), now);
        taking.apply(&takes, actor.is_person(), now);
        save(&mut tx, &leaving).await?;
        save(&mut tx, &taking).await?;
        move_detections(&mut tx, from, into).await?;
        let recorded = Deed {
            verb: "case_merge",
            object: format!("case:{from}"),
            detail: json!({"into": into.to_string(), "detections": leaving.gathered.detections}),
        };
        let seq = record(&mut tx, &*self.chance, actor, recorded, now).await?;
        let enter = Enter { word: "merge", changes: &leaves, undo: None };
        enter_history(&mut tx, &leaving, seq, actor, enter, now).await?;
        let enter = Enter { word: "merge", changes: &takes, undo: None };
        enter_history(&mut tx, &taking, seq, actor, enter, now).await?;
        *ahead = true;
        tx.commit().await.doing("commit a merge")?;
        grouper.sync(&leaving);
        grouper.sync(&taking);
        *ahead = false;
        for case in [&leaving, &taking] {
            self.tell(CaseChanged { id: case.id, version: case.version, change: "merge".into() });
        }
        Ok(taking)
    }

    /// Takes `detections` out of `from` into a new case, which it answers.
    pub async fn case_split(
        &self,
        actor: &Actor,
        from: CaseId,
        detections: &[DetectionId],
        title: &str,
    ) -> Result<Case, ControlError> {
        let mut writer = self.write().await?;
        let now = self.now();
        let Writer { conn, grouper, ahead, .. } = &mut *writer;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.doing("begin")?;
        let mut case = load(&mut tx, from).await?;
        let all = load_case_detections(&mut tx, from, SPLIT_MAX + 1).await?;
        if all.len() > SPLIT_MAX {
            return Err(ControlError::invalid(
                "detections",
                format!("a case of more than {SPLIT_MAX} detections is not split"),
            ));
        }
        let chosen: HashSet<DetectionId> = detections.iter().copied().collect();
        let (taken, left): (Vec<Detection>, Vec<Detection>) =
            all.into_iter().partition(|each| chosen.contains(&each.id));
        *ahead = true;
        let number = grouper.take_number();
        let (changes, new) = split(&case, number, title, &taken, &left, &mut |each| grouper.keys(each), now)?;
        case.apply(&changes, actor.is_person(), now);
        save(&mut tx, &case).await?;
        save(&mut tx, &new).await?;
        for detection in &taken {
            sqlx::query("UPDATE detections SET case_no = ? WHERE id = ?")
                .bind(number.0 as i64)
                .bind(&detection.id.0[..])
                .execute(&mut *tx)
                .await
                .doing("move a detection")?;
        }
        let recorded = Deed {
            verb: "case_split",
            object: format!("case:{from}"),
            detail: json!({"new": number.to_string(), "detections": taken.len()}),
        };
        let seq = record(&mut tx, &*self.chance, actor, recorded, now).await?;
        let enter = Enter { word: "split", changes: &changes, undo: None };
        enter_history(&mut tx, &case, seq, actor, enter, now).await?;
        enter_history(&mut tx, &new, seq, actor, Enter { word: "split", changes: &[], undo: None }, now).await?;
        tx.commit().await.doing("commit a split")?;
        grouper.sync(&case);
        grouper.sync(&new);
        *ahead = false;
        for each in [&case, &new] {
            self.tell(CaseChanged { id: each.id, version: each.version, change: "split".into() });
        }
        Ok(new)
    }
}
