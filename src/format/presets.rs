//! Formats that have a name.

use super::{Escape, Format, Server, apache, nginx};

/// A named format text.
pub struct Preset {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// Whose notation `text` is in.
    pub server: Server,
    /// The format text.
    pub text: &'static str,
}

/// The heads of all text formats: what stands before the columns that people append.
///
/// Order matters to detection: of two presets that match equally many lines with equally many fields the first wins.
/// nginx's `combined` stands for Apache's as well, which looks the same; only a logged duration makes a difference
/// (is the time the start or the end?), and the columns that follow tell the two apart.
pub const PRESETS: &[Preset] = &[
    // nginx's only predefined format (ngx_http_log_module).
    Preset {
        name: "combined",
        server: Server::Nginx,
        text: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
    },
    // nginx.conf as packaged by nginx.org and most distributions.
    Preset {
        name: "main",
        server: Server::Nginx,
        text: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#,
    },
    Preset {
        name: "combined_rt",
        server: Server::Nginx,
        text: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time"#,
    },
    Preset {
        name: "combined_rt_urt",
        server: Server::Nginx,
        text: r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time"#,
    },
    Preset {
        name: "apache_combined",
        server: Server::Apache,
        text: r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    },
    Preset {
        name: "combined_d",
        server: Server::Apache,
        text: r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D"#,
    },
    Preset {
        name: "combinedio",
        server: Server::Apache,
        text: r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#,
    },
    // Debian's apache2.conf: bytes are %O here, %b upstream.
    Preset {
        name: "vhost_combined",
        server: Server::Apache,
        text: r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
    },
    Preset { name: "common", server: Server::Apache, text: r#"%h %l %u %t "%r" %>s %b"# },
];

/// The preset of that name.
pub fn named(name: &str) -> Option<Format> {
    PRESETS.iter().find(|preset| preset.name == name).map(Preset::format)
}

/// All names, in order.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}

impl Preset {
    /// The preset compiled.
    pub fn format(&self) -> Format {
        match self.server {
            Server::Nginx | Server::Other => nginx::format(self.name, Escape::Nginx, self.text),
            Server::Apache => apache::format(self.name, self.text),
        }
        .expect("every preset compiles: a test compiles them all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_compiles_to_a_layout() {
        for preset in PRESETS {
            assert_eq!(preset.format().name, preset.name);
            super::super::Layout::compile(&preset.format()).expect(preset.name);
        }
    }
}
