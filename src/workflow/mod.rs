//! The steps of a study on disk: what `sequester check`, `dataset`, `lock`, `score`, `reads`, `validate`,
//! `report` and `compare` do, without their options and words. No argument parser, no terminal, no clock and
//! no environment: those come in with [`Outside`](outside::Outside).

pub mod check;
pub mod compare;
pub mod dataset;
pub mod lock;
pub mod names;
pub mod outside;
pub mod reads;
pub mod report;
pub mod score;
pub mod study;
pub mod train;
pub mod validate;
