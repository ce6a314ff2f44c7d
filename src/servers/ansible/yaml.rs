//! An inventory in Ansible's YAML notation: groups with `hosts`, `vars` and `children`.

use super::super::claim::Lines;
use super::super::tree::{Bad, Node, Pair, Value};
use super::ranges::Expansion;
use super::{Inventory, Owner, bad};

/// Reads the groups at the top of a file.
pub(in super::super) fn read<'n>(text: &'n str, groups: &'n [Pair<'_>]) -> Result<Inventory<'n>, Bad> {
    let mut reader =
        Reader { inventory: Inventory::default(), expansion: Expansion::default(), lines: Lines::new(text) };
    for group in groups {
        reader.group(group, None)?;
    }
    Ok(reader.inventory)
}

struct Reader<'n> {
    inventory: Inventory<'n>,
    expansion: Expansion,
    lines: Lines<'n>,
}

impl<'n> Reader<'n> {
    /// The tree that is read is not deep; see there.
    fn group(&mut self, pair: &'n Pair<'_>, parent: Option<usize>) -> Result<(), Bad> {
        let group = self.inventory.group(&pair.key);
        self.inventory.groups[group].parents.extend(parent);
        for part in self.entries(&pair.value, &format!("group {}", pair.key))? {
            match &*part.key {
                "hosts" => self.hosts(group, part)?,
                "vars" => self.variables(Owner::Group(group), &part.value)?,
                "children" => {
                    for child in self.entries(&part.value, "children")? {
                        self.group(child, Some(group))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn hosts(&mut self, group: usize, part: &'n Pair<'_>) -> Result<(), Bad> {
        if let Value::Text(pattern) = &part.value.value {
            return self.host(group, pattern, part.value.at, None);
        }
        for host in self.entries(&part.value, "hosts")? {
            self.host(group, &host.key, host.at, Some(&host.value))?;
        }
        Ok(())
    }

    fn host(
        &mut self,
        group: usize,
        pattern: &'n str,
        at: usize,
        own: Option<&'n Node<'_>>,
    ) -> Result<(), Bad> {
        let position = self.lines.position(at);
        let names = self.expansion.expand(pattern).map_err(|message| bad(position, message))?;
        if let Some(own) = own {
            let length = |variable: &Pair<'_>| variable.key.len() + variable.value.text().map_or(0, str::len);
            let own_lengths = self.entries(own, "variables")?.iter().map(length);
            self.expansion.copy(names.len(), own_lengths).map_err(|message| bad(position, message))?;
        }
        for name in names {
            let host = self.inventory.host(name, position);
            self.inventory.join(host, group);
            if let Some(own) = own {
                self.variables(Owner::Host(host), own)?;
            }
        }
        Ok(())
    }

    fn variables(&mut self, owner: Owner, node: &'n Node<'_>) -> Result<(), Bad> {
        for variable in self.entries(node, "variables")? {
            if let Some(value) = variable.value.text() {
                let position = self.lines.position(variable.at);
                self.inventory.set(owner, &variable.key, value.into(), position)?;
            }
        }
        Ok(())
    }

    /// The entries of a mapping; nothing is an empty one.
    fn entries<'t>(&mut self, node: &'n Node<'t>, what: &str) -> Result<&'n [Pair<'t>], Bad> {
        match &node.value {
            Value::Map(pairs) => Ok(pairs),
            Value::Null => Ok(&[]),
            Value::Text(_) | Value::List(_) => {
                Err(bad(self.lines.position(node.at), format!("{what}: a mapping is expected here")))
            }
        }
    }
}
