export function Desk() {
  return <h1>desk</h1>;
}
