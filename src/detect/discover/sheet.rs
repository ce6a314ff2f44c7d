//! The columns of a table and what is known of them so far.

use std::collections::HashSet;

use super::super::looks::{Look, Looks, is_evident};
use super::columns::{Column, Table};

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Always `-`, as the column after the client's of Common Log Format.
    Ident,
    User,
    Client,
    ServerAddr,
    Forwarded,
    /// A time in Common Log Format.
    Clf,
    /// RFC 3339.
    Iso,
    /// Seconds since 1970.
    EpochSeconds,
    /// Microseconds since 1970; of two the earlier, and one alone.
    StartMicros,
    /// The later.
    EndMicros,
    /// A time of any other form, or of several.
    AnyTime,
    Request,
    Method,
    Target,
    Protocol,
    Status,
    Body,
    Wire,
    In,
    /// In seconds, with a fraction.
    Duration,
    /// In microseconds.
    DurationMicros,
    Upstream,
    Host,
    /// With a port here and there: as the client sent it.
    HostHeader,
    Referer,
    Agent,
    Cache,
}

/// The columns, how often each look is met in each, and what they turned out to be.
pub(super) struct Sheet<'a, 'b> {
    pub(super) columns: &'b [Column<'a>],
    pub(super) roles: Vec<Option<Role>>,
    looks: Vec<Looks>,
}

impl<'a, 'b> Sheet<'a, 'b> {
    /// Looks at all values of a table.
    pub(super) fn of(table: &'b Table<'a>) -> Self {
        let looks = table.columns.iter().map(|column| Looks::of(column.values.iter().copied()));
        Self { columns: &table.columns, roles: vec![None; table.columns.len()], looks: looks.collect() }
    }

    /// Number of lines.
    pub(super) fn rows(&self) -> usize {
        self.columns[0].values.len()
    }

    /// The column of a role.
    pub(super) fn column(&self, role: Role) -> Option<&'b Column<'a>> {
        let at = self.roles.iter().position(|&found| found == Some(role))?;
        Some(&self.columns[at])
    }

    /// How many values of a column have this look.
    pub(super) fn count(&self, at: usize, look: Look) -> usize {
        self.looks[at].count(look)
    }

    /// What the values of a column look like.
    pub(super) fn looks(&self, at: usize) -> &Looks {
        &self.looks[at]
    }

    /// How many values of a column are missing.
    pub(super) fn nulls(&self, at: usize) -> usize {
        self.count(at, Look::Null)
    }

    /// True if so many lines are more than stray ones.
    pub(super) fn is_evident(&self, lines: usize) -> bool {
        is_evident(lines, self.rows())
    }

    /// The columns without a role nearly all values of which have one of these looks.
    pub(super) fn all(&self, looks: &[Look]) -> Vec<usize> {
        let open = (0..self.columns.len()).filter(|&at| self.roles[at].is_none());
        open.filter(|&at| self.looks[at].mostly(looks)).collect()
    }

    /// Of these columns the one with the least key, of equals the first.
    pub(super) fn best<K: Ord>(&self, looks: &[Look], key: impl Fn(&Self, usize) -> K) -> Option<usize> {
        self.all(looks).into_iter().min_by_key(|&at| key(self, at))
    }

    /// The column, if one was found, has this role.
    pub(super) fn give(&mut self, at: Option<usize>, role: Role) {
        if let Some(at) = at {
            self.roles[at] = Some(role);
        }
    }

    /// How many different values a column has.
    pub(super) fn distinct(&self, at: usize) -> usize {
        self.columns[at].values.iter().collect::<HashSet<_>>().len()
    }

    /// In how many of a hundred lines the two columns' values are so related; lines where `test` cannot say do not
    /// count.
    pub(super) fn nearly_always(
        &self,
        at: usize,
        other: usize,
        test: impl Fn(&[u8], &[u8]) -> Option<bool>,
    ) -> bool {
        let pairs = self.columns[at].values.iter().zip(&self.columns[other].values);
        let told: Vec<bool> = pairs.filter_map(|(one, other)| test(one, other)).collect();
        !told.is_empty() && told.iter().filter(|&&told| told).count() * 100 >= told.len() * 99
    }
}
