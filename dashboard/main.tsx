import { render } from "preact";

render(<p>Lamppost</p>, document.getElementById("page")!);
