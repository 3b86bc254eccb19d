import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/controls.css";
import "./styles/pages.css";
import "./styles/interfaces.css";
import "./styles/books.css";
import "./styles/charts.css";
import "./styles/applications.css";
import "./styles/alerts.css";
import "./styles/probes.css";
import { App } from "./app";

const place = document.getElementById("app");
if (place) {
  place.replaceChildren();
  render(<App />, place);
}
