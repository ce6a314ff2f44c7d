//! An inventory in Ansible's YAML notation: groups with `hosts`, `vars` and `children`.

use super::super::claim::Lines;
use super::super::tree::{Bad, Node, Pair, Value};
use super::ranges::Expansion;
use super::{Inventory, Owner, bad};

/// Reads the groups at the top of a file.
pub(in super::super) fn read(text: &str, groups: &[Pair<'_>]) -> Result<Inventory, Bad> {
    let mut reader =
        Reader { inventory: Inventory::default(), expansion: Expansion::default(), lines: Lines::new(text) };
    for group in groups {
        reader.group(group, None)?;
    }
    Ok(reader.inventory)
}

struct Reader<'t> {
    inventory: Inventory,
    expansion: Expansion,
    lines: Lines<'t>,
}

impl Reader<'_> {
    /// The tree that is read is not deep; see there.
    fn group(&mut self, pair: &Pair<'_>, parent: Option<usize>) -> Result<(), Bad> {
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

    fn hosts(&mut self, group: usize, part: &Pair<'_>) -> Result<(), Bad> {
        if let Value::Text(pattern) = &part.value.value {
            return self.host(group, pattern, &part.value, &Node { value: Value::Null, at: part.value.at });
        }
        for host in self.entries(&part.value, "hosts")? {
            self.host(group, &host.key, &Node { value: Value::Null, at: host.at }, &host.value)?;
        }
        Ok(())
    }

    fn host(&mut self, group: usize, pattern: &str, place: &Node<'_>, own: &Node<'_>) -> Result<(), Bad> {
        let position = self.lines.position(place.at);
        for name in self.expansion.expand(pattern).map_err(|message| bad(position, message))? {
            let host = self.inventory.host(&name, position);
            self.inventory.join(host, group);
            self.variables(Owner::Host(host), own)?;
        }
        Ok(())
    }

    fn variables(&mut self, owner: Owner, node: &Node<'_>) -> Result<(), Bad> {
        for variable in self.entries(node, "variables")? {
            if let Some(value) = variable.value.text() {
                let position = self.lines.position(variable.at);
                self.inventory.set(owner, &variable.key, value, position);
            }
        }
        Ok(())
    }

    /// The entries of a mapping; nothing is an empty one.
    fn entries<'n, 't>(&mut self, node: &'n Node<'t>, what: &str) -> Result<&'n [Pair<'t>], Bad> {
        match &node.value {
            Value::Map(pairs) => Ok(pairs),
            Value::Null => Ok(&[]),
            Value::Text(_) | Value::List(_) => {
                Err(bad(self.lines.position(node.at), format!("{what}: a mapping is expected here")))
            }
        }
    }
}
