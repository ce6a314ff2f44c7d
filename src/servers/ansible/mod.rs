//! Ansible inventories: hosts, groups, and what variables say of them.
//!
//! A host's data centre is its own variable `idc`, `dc`, `datacenter` or `site`, else that of the nearest of its
//! groups; as in Ansible that is the deepest below `all`, then the one with the higher `ansible_group_priority`, then
//! the later name. Where no variable says it, the name of a group may (`--idc-group-prefix`). Variables of
//! `group_vars/` and `host_vars/` are not read.

mod ini;
mod ranges;
mod yaml;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::book::{Book, FACTS, fact, fact_name};
use super::claim::{Machine, Origin, Position};
use super::tree::Bad;
use crate::error::Error;

pub(super) use ini::{read as ini, section};
pub(super) use yaml::read as tree;

/// The variables that name a data centre; if several are there, the earliest here counts.
const IDC_VARIABLES: [&str; 4] = ["idc", "dc", "datacenter", "site"];

const ADDRESS_VARIABLES: [&str; 2] = ["ansible_host", "ansible_ssh_host"];

const PRIORITY_VARIABLE: &str = "ansible_group_priority";

/// What an inventory says.
#[derive(Debug, Default)]
pub(super) struct Inventory<'t> {
    groups: Vec<Group<'t>>,
    group_numbers: HashMap<Cow<'t, str>, usize, RandomState>,
    hosts: Vec<Host<'t>>,
    host_numbers: HashMap<Cow<'t, str>, usize, RandomState>,
}

#[derive(Debug)]
struct Group<'t> {
    name: Cow<'t, str>,
    variables: Variables<'t>,
    /// Some perhaps twice until the inventory is sorted.
    parents: Vec<usize>,
}

#[derive(Debug)]
struct Host<'t> {
    name: Cow<'t, str>,
    variables: Variables<'t>,
    groups: Vec<usize>,
    position: Position,
}

/// Those that matter here.
type Variables<'t> = Vec<Variable<'t>>;

#[derive(Debug)]
struct Variable<'t> {
    name: &'static str,
    /// Known beforehand: every host is asked for every fact.
    fact: Option<usize>,
    value: Cow<'t, str>,
    /// The last time it was set.
    position: Position,
}

/// What a variable belongs to.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Group(usize),
    Host(usize),
}

impl<'t> Inventory<'t> {
    /// The number of a group, new if need be.
    fn group(&mut self, name: &'t str) -> usize {
        *self.group_numbers.entry(name.into()).or_insert_with(|| {
            self.groups.push(Group { name: name.into(), variables: Vec::new(), parents: Vec::new() });
            self.groups.len() - 1
        })
    }

    /// The number of a host, new if need be.
    fn host(&mut self, name: Cow<'t, str>, position: Position) -> usize {
        *self.host_numbers.entry(name).or_insert_with_key(|name| {
            let name = name.clone();
            self.hosts.push(Host { name, variables: Vec::new(), groups: Vec::new(), position });
            self.hosts.len() - 1
        })
    }

    fn join(&mut self, host: usize, group: usize) {
        // A host that is named again and again in a group would pile it up.
        if self.hosts[host].groups.last() != Some(&group) {
            self.hosts[host].groups.push(group);
        }
    }

    /// Sets a variable if it matters; a template would need the whole of Ansible. Later values count, as in Ansible,
    /// but for the data centre: there the bill would follow the order of lines.
    fn set(&mut self, owner: Owner, name: &str, value: Cow<'t, str>, position: Position) -> Result<(), Bad> {
        let own = IDC_VARIABLES.iter().chain(&ADDRESS_VARIABLES).chain([&PRIORITY_VARIABLE]);
        let Some(name) = own.copied().find(|own| *own == name).or_else(|| fact_name(name)) else {
            return Ok(());
        };
        if value.is_empty() || value.contains("{{") {
            return Ok(());
        }
        let (owner, variables) = match owner {
            Owner::Group(group) => {
                let Group { name, variables, .. } = &mut self.groups[group];
                (name, variables)
            }
            Owner::Host(host) => {
                let Host { name, variables, .. } = &mut self.hosts[host];
                (name, variables)
            }
        };
        if IDC_VARIABLES.contains(&name)
            && let Some(known) = variables.iter().find(|known| known.name == name)
            && known.value != value
        {
            let (other, line) = (&known.value, known.position.line);
            let message = format!("{owner} has {name} {value} here, but {other} on line {line}");
            return Err(bad(position, message));
        }
        variables.retain(|known| known.name != name);
        variables.push(Variable { name, fact: fact(name), value, position });
        Ok(())
    }

    /// What every group says for itself or takes from the groups above it, nearest first.
    fn settle(&self, prefix: Option<&str>) -> Result<Vec<Settled>, String> {
        let order = self.order()?;
        let mut settled = vec![Settled::default(); self.groups.len()];
        for number in order {
            let group = &self.groups[number];
            let mut own = Settled::default();
            for &parent in &group.parents {
                own.depth = own.depth.max(settled[parent].depth + 1);
                let parent = settled[parent].clone();
                own.take(&parent);
            }
            if group.name != "all" {
                own.depth = own.depth.max(1);
            }
            let priority = value(&group.variables, PRIORITY_VARIABLE).and_then(|text| text.parse().ok());
            let rank = (own.depth, priority.unwrap_or(1), number);
            for (slot, best) in own.slots.iter_mut().enumerate() {
                if stated(&group.variables, slot).is_some() {
                    *best = Some(rank);
                }
            }
            if prefix.is_some_and(|prefix| group.name.len() > prefix.len() && group.name.starts_with(prefix))
            {
                own.named = vec![(own.depth, number)];
            }
            settled[number] = own;
        }
        Ok(settled)
    }

    /// The groups, parents before their children.
    fn order(&self) -> Result<Vec<usize>, String> {
        let mut children = vec![Vec::new(); self.groups.len()];
        let mut waiting: Vec<usize> = self.groups.iter().map(|group| group.parents.len()).collect();
        for (number, group) in self.groups.iter().enumerate() {
            group.parents.iter().for_each(|&parent| children[parent].push(number));
        }
        let mut order: Vec<usize> = (0..self.groups.len()).filter(|&group| waiting[group] == 0).collect();
        let mut next = 0;
        while let Some(&group) = order.get(next) {
            next += 1;
            for &child in &children[group] {
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    order.push(child);
                }
            }
        }
        match waiting.iter().position(|&left| left > 0) {
            Some(group) => Err(format!("group {} is below itself", self.groups[group].name)),
            None => Ok(order),
        }
    }
}

/// Where a group takes its variables from: depth, priority, group.
type Rank = (usize, i64, usize);

#[derive(Debug, Clone, Default)]
struct Settled {
    depth: usize,
    /// The data centre, then the facts.
    slots: [Option<Rank>; 1 + FACTS.len()],
    /// The deepest groups whose names say it, two at most: with their depths.
    named: Vec<(usize, usize)>,
}

impl Settled {
    /// Also looks where another group looks.
    fn take(&mut self, other: &Self) {
        for (slot, best) in self.slots.iter_mut().zip(other.slots) {
            *slot = (*slot).max(best);
        }
        self.named.extend(&other.named);
        self.named.sort_unstable_by(|one, other| other.cmp(one));
        self.named.dedup();
        let deepest = self.named.first().map(|(depth, _)| *depth);
        self.named.retain(|(depth, _)| Some(*depth) == deepest);
        self.named.truncate(2);
    }
}

/// What variables say of a slot of [`Settled`].
fn stated<'v>(variables: &'v Variables<'_>, slot: usize) -> Option<(&'v str, Position)> {
    let found = match slot.checked_sub(1) {
        None => {
            let find = |idc: &&str| variables.iter().find(|variable| variable.name == *idc);
            IDC_VARIABLES.iter().find_map(find)
        }
        Some(wanted) => variables.iter().find(|variable| variable.fact == Some(wanted)),
    };
    found.map(|variable| (&*variable.value, variable.position))
}

fn value<'v>(variables: &'v Variables<'_>, wanted: &str) -> Option<&'v str> {
    variables.iter().find(|variable| variable.name == wanted).map(|variable| &*variable.value)
}

/// Enters the hosts whose data centre is known.
pub(super) fn enter(
    list: u32,
    file: &str,
    mut inventory: Inventory<'_>,
    prefix: Option<&str>,
    book: &mut Book,
) -> Result<(), Error> {
    let prefix = prefix.filter(|prefix| !prefix.is_empty());
    let all = inventory.group("all");
    for (number, group) in inventory.groups.iter_mut().enumerate() {
        if group.parents.is_empty() && number != all {
            group.parents.push(all);
        }
    }
    // The order of names is the last to decide; numbers stand for it.
    let inventory = inventory.sorted();
    let settled = inventory.settle(prefix).map_err(|message| Error::Data(format!("{file}: {message}")))?;
    let all = Settled { slots: settled[inventory.group_numbers["all"]].slots, ..Settled::default() };
    let mut located = false;
    // Hosts of a group stand together: most take what the one before took.
    let (mut groups, mut from): (&[usize], _) = (&[], all.clone());
    for host in &inventory.hosts {
        let origin = Origin::List(list, host.position);
        if host.groups != groups {
            groups = &host.groups;
            from = all.clone();
            for &group in groups {
                from.take(&settled[group]);
            }
        }
        let say = |slot: usize| {
            let inherited = || stated(&inventory.groups[from.slots[slot]?.2].variables, slot);
            stated(&host.variables, slot).or_else(inherited)
        };
        let idc = match (say(0), from.named.as_slice()) {
            (Some((idc, _)), _) => idc,
            (None, [(_, group)]) => &inventory.groups[*group].name[prefix.map_or(0, str::len)..],
            (None, []) => continue,
            (None, [(_, one), (_, other), ..]) => {
                let (one, other) = (&inventory.groups[*other].name, &inventory.groups[*one].name);
                return Err(book.error(origin, &format!("{} is both in {one} and in {other}", host.name)));
            }
        };
        located = true;
        let idc = book.number(idc, origin)?;
        let address = ADDRESS_VARIABLES.iter().find_map(|name| value(&host.variables, name));
        for key in [Some(&*host.name), address].into_iter().flatten() {
            let machine = Machine::host(key).map_err(|message| book.error(origin, &message))?;
            book.claim(machine, idc, origin)?;
        }
        for fact in 0..FACTS.len() {
            if let Some((value, position)) = say(1 + fact) {
                book.state(idc, fact, value, Origin::List(list, position))?;
            }
        }
    }
    if located {
        return Ok(());
    }
    let groups = match prefix {
        Some(prefix) => format!("no group whose name begins with {prefix}"),
        None => "--idc-group-prefix may take it from the names of groups".to_owned(),
    };
    Err(Error::Data(format!(
        "{file}: an Ansible inventory whose hosts have no data centre: none of them or of their groups has a variable \
         {}; {groups}",
        IDC_VARIABLES.join(", ")
    )))
}

impl Inventory<'_> {
    /// The same with groups numbered in the order of their names.
    fn sorted(self) -> Self {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_unstable_by(|&one, &other| self.groups[one].name.cmp(&self.groups[other].name));
        let mut new = vec![0; order.len()];
        order.iter().enumerate().for_each(|(number, &old)| new[old] = number);
        let mut groups: Vec<(usize, Group<'_>)> = new.iter().copied().zip(self.groups).collect();
        groups.sort_unstable_by_key(|(number, _)| *number);
        let renumber = |numbers: &mut Vec<usize>| {
            for number in numbers.iter_mut() {
                *number = new[*number];
            }
            numbers.sort_unstable();
            numbers.dedup();
        };
        let mut hosts = self.hosts;
        for host in &mut hosts {
            renumber(&mut host.groups);
        }
        let mut groups: Vec<Group<'_>> = groups.into_iter().map(|(_, group)| group).collect();
        for group in &mut groups {
            renumber(&mut group.parents);
        }
        let group_numbers =
            groups.iter().enumerate().map(|(number, group)| (group.name.clone(), number)).collect();
        Self { groups, group_numbers, hosts, host_numbers: self.host_numbers }
    }
}

/// An error of a place.
fn bad(position: Position, message: impl Into<String>) -> Bad {
    Bad { position, message: message.into() }
}

#[cfg(test)]
mod tests;
