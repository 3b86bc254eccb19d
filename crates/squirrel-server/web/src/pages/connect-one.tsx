// How an application comes onto the page.

const MANIFEST = `squirrel-monitor = "0.1"
squirrel-monitor-export = { version = "0.1", features = ["squirrel"] }`;

const CODE = (host: string) => `let options = [("service.name".into(), "shop".into())].into();
let export = ExportConfig {
    format: ExportFormat::Squirrel, endpoint: "${host}".into(), interval: 5, auth_token: None, options,
};
let monitor = NetworkMonitor::new(NetworkConfig { export: Some(export), ..NetworkConfig::default() });
squirrel_monitor_export::install(&monitor)?;
monitor.start().await?;`;

export function ConnectOne() {
  return (
    <section class="card connect" aria-labelledby="connect-title">
      <h2 id="connect-title">Connect an application</h2>
      <p>A program in Rust shows its connections, bandwidth, messages, errors and latencies here, an MCP server each method and tool. Add to its Cargo.toml:</p>
      <pre tabIndex={0}><code>{MANIFEST}</code></pre>
      <p>and to its start:</p>
      <pre tabIndex={0}><code>{CODE(location.host)}</code></pre>
      <p>It stands here with its first report, some seconds later. What it counts, and how, is in the library's guide.</p>
    </section>
  );
}
