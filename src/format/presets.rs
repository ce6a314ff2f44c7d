//! Formats that have a name.

use super::{Escape, Format, Server, apache, neighbours, nginx};

/// A named format text.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// Whose notation `text` is in.
    pub server: Server,
    /// How values are escaped; Apache has one way only.
    pub escape: Escape,
    /// The format text; with [`Server::Other`] in the notation of [`mod@super::neighbours`].
    pub text: &'static str,
}

/// What stands before the columns that people append, in both servers' words.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// The preset that lines are recognised by.
    pub preset: Preset,
    /// The same as the other server would write it.
    pub twin: Preset,
}

impl Beginning {
    /// The beginning in the notation of a server, under the one name it has in reports.
    pub fn of(&self, server: Server) -> Format {
        let own = if self.twin.server == server { &self.twin } else { &self.preset };
        Format { name: self.preset.name.to_owned(), ..own.format() }
    }
}

/// The beginnings of all text formats, most specific first; ties go to the earlier.
///
/// nginx's `combined` stands for Apache's as well, which looks the same; only a logged duration makes a difference
/// (is the time the start or the end?), and the columns that follow tell the two apart.
pub const BEGINNINGS: [Beginning; 4] = [
    Beginning { preset: COMBINED, twin: APACHE_COMBINED },
    Beginning {
        preset: VHOST_BODY,
        twin: of_nginx(
            "vhost_combined",
            r#"$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
        ),
    },
    Beginning {
        preset: HOST_COMBINED,
        twin: of_apache("host_combined", r#"%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    },
    Beginning {
        preset: COMMON,
        twin: of_nginx(
            "common",
            r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent"#,
        ),
    },
];

/// Who asked, as the proxies in front passed it on, stands where others have the host: recognised by its addresses.
pub const FORWARDED: Beginning = Beginning {
    preset: FORWARDED_COMBINED,
    twin: of_apache(
        "forwarded_combined",
        r#"%{X-Forwarded-For}i %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    ),
};

/// nginx's only predefined format (`ngx_http_log_module`).
const COMBINED: Preset = of_nginx(
    "combined",
    r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
);

const APACHE_COMBINED: Preset =
    of_apache("apache_combined", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#);

/// Debian's apache2.conf: bytes are %O here, %b upstream.
const VHOST_COMBINED: Preset =
    of_apache("vhost_combined", r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#);

/// What is taken for it by its looks: a lone column of bytes is the body's unless something proves that headers are
/// counted, in every format alike, so that logs of one machine are counted alike (docs/decisions/0005).
const VHOST_BODY: Preset =
    of_apache("vhost_combined", r#"%v:%p %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#);

/// The same with the virtual host alone before it, as nginx's users like it.
const HOST_COMBINED: Preset = of_nginx(
    "host_combined",
    r#"$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
);

const FORWARDED_COMBINED: Preset = of_nginx(
    "forwarded_combined",
    r#"$http_x_forwarded_for $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
);

const COMMON: Preset = of_apache("common", r#"%h %l %u %t "%r" %>s %b"#);

/// The second column is the host; the time is the end unless `begin` is said.
pub const LIGHTTPD: Preset =
    of_apache("lighttpd", r#"%h %V %u %{end}t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#);

/// Varnish and Jetty write what looks like `combined`.
const VARNISHNCSA: Preset =
    of_apache("varnishncsa", r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#);

const JETTY: Preset = of_apache("jetty", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{ms}T"#);

/// All presets. Order matters to detection: of two that match equally many lines with equally many fields the first
/// wins.
pub const PRESETS: &[Preset] = &[
    COMBINED,
    // nginx.conf as packaged by nginx.org and most distributions.
    of_nginx(
        "main",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#,
    ),
    of_nginx(
        "combined_rt",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time"#,
    ),
    of_nginx(
        "combined_rt_urt",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time"#,
    ),
    APACHE_COMBINED,
    of_apache("combined_d", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D"#),
    of_apache("combinedio", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#),
    VHOST_COMBINED,
    HOST_COMBINED,
    FORWARDED_COMBINED,
    COMMON,
    // Neighbours. What their times and bytes mean, and where that is written: docs/FORMATS.md.
    of_nginx(
        "upstream_time",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time""#,
    ),
    of_nginx(
        "ingress_nginx",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"#,
    ),
    // Up to 0.24, with the address of the client in brackets too.
    of_nginx(
        "ingress_nginx_old",
        r#"$remote_addr - [$the_real_ip] - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status"#,
    ),
    of_nginx(
        "nginx_proxy_manager",
        r#"[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server] "$http_user_agent" "$http_referer""#,
    ),
    of_nginx(
        "nginx_proxy_manager_standard",
        r#"[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer""#,
    ),
    of_nginx(
        "stream_proxy",
        r#"$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time "$upstream_addr" "$upstream_bytes_sent" "$upstream_bytes_received" "$upstream_connect_time""#,
    ),
    of_nginx(
        "stream",
        r"$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time",
    ),
    of_other(
        "haproxy_http",
        Escape::Hash,
        r#"$client:$client_port [$accept_date] $frontend $backend/$server $request_ms/$queue_ms/$connect_ms/$response_ms/$total_ms $status $bytes_wire $request_cookie $response_cookie $termination $connections $queues $captures"$request""#,
    ),
    of_other(
        "haproxy_clf",
        Escape::Hash,
        r#"$client_word - - [$accept_date] "$request" $status $bytes_wire "" "" $client_port $accept_ms "$frontend" "$backend" "$server" $request_ms $queue_ms $connect_ms $response_ms $total_ms $termination"#,
    ),
    of_other(
        "haproxy_tcp",
        Escape::Hash,
        r"$client:$client_port [$accept_date] $frontend $backend/$server $queue_ms/$connect_ms/$total_ms $bytes_wire $termination $connections $queues",
    ),
    of_other(
        "traefik",
        Escape::Raw,
        r#"$client_word - $user [$received] "$request" $status $bytes_body "$referer" "$user_agent" $requests $router $service ${total_ms}ms"#,
    ),
    of_other(
        "istio",
        Escape::Raw,
        r#"[$start_time] "$request" $status $response_flags $details $termination "$failure_reason" $bytes_in $bytes_body $total_ms $upstream_ms "$forwarded" "$user_agent" "$request_id" "$host" "$upstream_host""#,
    ),
    of_other(
        "envoy",
        Escape::Raw,
        r#"[$start_time] "$request" $status $response_flags $bytes_in $bytes_body $total_ms $upstream_ms "$forwarded" "$user_agent" "$request_id" "$host" "$upstream_host""#,
    ),
    // The columns of 2024; later ones count as extra. The short form is what all logs since 2016 have.
    of_other(
        "aws_alb",
        Escape::Nginx,
        r#"$type $end_time $elb $client:$client_port $target_addr $request_seconds $target_seconds $response_seconds $status $target_status $bytes_in $bytes_wire "$request" "$user_agent" $ssl_cipher $ssl_protocol $target_group "$trace_id" "$domain" "$certificate" $rule_priority $creation_time "$actions" "$redirect_url" "$error_reason" "$targets" "$target_statuses" "$classification" "$classification_reason""#,
    ),
    of_other(
        "aws_alb_short",
        Escape::Nginx,
        r#"$type $end_time $elb $client:$client_port $target_addr $request_seconds $target_seconds $response_seconds $status $target_status $bytes_in $bytes_wire "$request" "$user_agent" $ssl_cipher $ssl_protocol $target_group "$trace_id""#,
    ),
    of_other(
        "aws_elb",
        Escape::Nginx,
        r#"$start_time $elb $client:$client_port $backend $request_seconds $target_seconds $response_seconds $status $backend_status $bytes_in $bytes_body "$request" "$user_agent" $ssl_cipher $ssl_protocol"#,
    ),
    // Before May 2015.
    of_other(
        "aws_elb_short",
        Escape::Nginx,
        r#"$start_time $elb $client:$client_port $backend $request_seconds $target_seconds $response_seconds $status $backend_status $bytes_in $bytes_body "$request""#,
    ),
    of_other(
        "s3",
        Escape::Raw,
        r#"$owner $bucket [$received] $client_word $requester $request_id $operation $key "$request" $status $error $bytes_body $object_size $total_ms $turnaround_ms "$referer" "$user_agent" $version_id"#,
    ),
    of_other(
        "squid",
        Escape::Raw,
        r"$end_epoch $total_ms $client_word $squid_status/$status $bytes_wire $method $target $user $hierarchy $mime_type",
    ),
    VARNISHNCSA,
    LIGHTTPD,
    JETTY,
    of_other(
        "uwsgi",
        Escape::Raw,
        r"[pid: $pid|app: $app|req: $worker_request/$request_number] $client_word ($user) {$variables vars in $variable_bytes bytes} [$start_ctime] $method $target => generated $bytes_body bytes in $total_ms msecs ($protocol $status) $headers headers in $header_bytes bytes",
    ),
    of_other(
        "uwsgi_micros",
        Escape::Raw,
        r"[pid: $pid|app: $app|req: $worker_request/$request_number] $client_word ($user) {$variables vars in $variable_bytes bytes} [$start_ctime] $method $target => generated $bytes_body bytes in $total_us micros ($protocol $status) $headers headers in $header_bytes bytes",
    ),
    of_other(
        "aliyun_cdn",
        Escape::Raw,
        r#"[$logged] $client_word $proxy_addr $total_ms "$referer" "$request" $status $bytes_in $bytes_body $cache "$user_agent" "$content_type""#,
    ),
    of_other(
        "tencent_cdn",
        Escape::Raw,
        r#"$start_china $client_word $host $target $bytes_wire $province $isp $status $referer_or_null $total_ms "$user_agent" "$range" $method $protocol $cache $client_port"#,
    ),
    of_other(
        "huawei_cdn",
        Escape::Raw,
        r#"[$logged] $client_word $total_ms "$referer" "$protocol" "$method" "$host" "$target" $status $bytes_body $cache "$user_agent" "$range""#,
    ),
    of_other(
        "azure_cdn",
        Escape::Raw,
        r#"$client_word,$end_us,$method,"$target",$protocol,$status,$bytes_body,"$referer","$user_agent",$total_ms,$cache,$server_addr"#,
    ),
];

/// What a preset says although no page of its vendor does; docs/FORMATS.md lists the same.
pub const UNVERIFIED: &[(&str, &str)] = &[
    ("jetty", "that the time is the start"),
    ("aliyun_cdn", "that the bytes are the body's"),
    ("tencent_cdn", "that the time is the start, and that the bytes contain headers"),
    ("huawei_cdn", "that the bytes are the body's"),
    ("azure_cdn", "that the time is the end, and that the bytes are the body's"),
    ("uwsgi", "that the time is the start"),
    ("uwsgi_micros", "that the time is the start"),
    ("iis", "that the time is the end"),
    ("w3c", "that the time is the end, and that sc-bytes contains headers"),
];

/// What no page of its vendor says about a format.
pub fn unverified(name: &str) -> Option<&'static str> {
    UNVERIFIED.iter().find(|(known, _)| *known == name).map(|&(_, what)| what)
}

/// The preset of that name.
pub fn named(name: &str) -> Option<Format> {
    PRESETS.iter().find(|preset| preset.name == name).map(Preset::format)
}

const fn of_nginx(name: &'static str, text: &'static str) -> Preset {
    Preset { name, server: Server::Nginx, escape: Escape::Nginx, text }
}

const fn of_apache(name: &'static str, text: &'static str) -> Preset {
    Preset { name, server: Server::Apache, escape: Escape::Apache, text }
}

const fn of_other(name: &'static str, escape: Escape, text: &'static str) -> Preset {
    Preset { name, server: Server::Other, escape, text }
}

/// All names, in order.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}

/// The formats that are no beginning people append columns to and can be told by their looks: proxies, clouds, CDNs.
/// They stand behind the last beginning.
pub fn neighbours() -> impl Iterator<Item = &'static Preset> {
    let behind = PRESETS.iter().skip_while(|preset| preset.name != COMMON.name).skip(1);
    behind.filter(|preset| ![VARNISHNCSA.name, JETTY.name].contains(&preset.name))
}

impl Preset {
    /// The preset as a format.
    pub fn format(&self) -> Format {
        match self.server {
            Server::Nginx => nginx::format(self.name, self.escape, self.text),
            Server::Apache => apache::format(self.name, self.text),
            Server::Other => neighbours::format(self.name, self.escape, self.text),
        }
        .expect("every preset compiles: a test compiles them all")
    }

    /// True if the format says what this preset says, whatever it is called.
    pub fn is(&self, format: &Format) -> bool {
        self.text == format.text && self.server == format.server
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
        for beginning in BEGINNINGS.into_iter().chain([FORWARDED]) {
            for server in [Server::Nginx, Server::Apache] {
                let format = beginning.of(server);
                assert_eq!((format.name.as_str(), format.server), (beginning.preset.name, server));
            }
        }
    }
}
