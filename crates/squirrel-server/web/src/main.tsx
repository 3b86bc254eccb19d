import { render } from "preact";
import "./styles/base.css";
render(<p>Squirrel</p>, document.getElementById("app")!);
