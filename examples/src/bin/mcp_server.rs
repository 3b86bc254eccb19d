//! An MCP server with the official SDK, whose messages are told by method and tool.
//!
//! `cargo run --bin mcp_server` calls its tools through a pipe in memory and prints what it measured. A server
//! on standard input and output is wrapped in the same way.

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolRequestParams, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt as _, tool, tool_handler, tool_router};
use squirrel_monitor::{NetworkConfig, NetworkMonitor, Role};

type Error = Box<dyn std::error::Error>;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Pair {
    dividend: i64,
    divisor: i64,
}

/// A server with one tool.
#[derive(Clone)]
struct Calculator {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Calculator {
    fn new() -> Self {
        Self { tool_router: Self::tool_router() }
    }

    #[tool(description = "Divides whole numbers")]
    fn divide(&self, Parameters(pair): Parameters<Pair>) -> Result<String, String> {
        let quotient = pair.dividend.checked_div(pair.divisor);
        quotient.map(|quotient| quotient.to_string()).ok_or_else(|| "the quotient is no number".to_owned())
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Calculator {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// Calls the tool three times: the answers.
async fn run(monitor: &NetworkMonitor) -> Result<Vec<Option<bool>>, Error> {
    let (near, far) = tokio::io::duplex(4096);
    let near = monitor.recorder().instrument(near).observed_by(monitor.inspection_as("mcp", Role::Server)?);
    let server = tokio::spawn(async move {
        let running = Calculator::new().serve(near).await.map_err(|error| error.to_string())?;
        running.waiting().await.map_err(|error| error.to_string())
    });
    let client = ().serve(far).await?;
    let mut failed = Vec::new();
    for divisor in [6, 7, 0] {
        let arguments = rmcp::object!({ "dividend": 42, "divisor": divisor });
        let answer = client.call_tool(CallToolRequestParams::new("divide").with_arguments(arguments)).await?;
        failed.push(answer.is_error);
    }
    client.cancel().await?;
    server.await??;
    Ok(failed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let monitor = NetworkMonitor::new(NetworkConfig::default());
    run(&monitor).await?;
    squirrel_examples::print(&monitor).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tools_are_counted_with_their_failures_and_the_version_is_known() {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        let failed = run(&monitor).await.expect("runs");
        assert_eq!(failed.iter().filter(|failed| **failed == Some(true)).count(), 1, "{failed:?}");
        let types = monitor.message_types();
        let tool = types.iter().find(|t| t.message_type == "tools/call divide").expect("the tool is a label");
        assert_eq!((tool.received, tool.sent, tool.failed, tool.latency.count()), (3, 3, 1, 3));
        let protocol = monitor.get_protocol_metrics().await;
        assert_eq!(protocol.messages_received["initialize"], 1);
        assert_eq!(protocol.protocol_errors["tool_error"], 1);
        assert!(protocol.protocol_version.starts_with("20"), "{}", protocol.protocol_version);
        assert_eq!(monitor.get_connection_metrics().await.active_connections, 0);
    }
}
