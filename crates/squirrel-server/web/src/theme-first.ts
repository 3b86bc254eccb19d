// Runs before the first paint, so that a chosen theme does not flash the other one.
// The bundler makes this its own small file because inline scripts are forbidden by the policy.
const theme = localStorage.getItem("squirrel.theme");
if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
