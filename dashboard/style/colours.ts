/** The theme's colours as a canvas understands them: custom properties are only names until an element wears them. */
export function readColours<Name extends string>(
  near: HTMLElement,
  names: Readonly<Record<Name, string>>,
): Record<Name, string> {
  const probe = near.appendChild(document.createElement("i"));
  const entries = Object.entries<string>(names).map(([key, name]) => {
    probe.style.color = `var(${name})`;
    return [key, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Record<Name, string>;
}
