import type * as en from "../en/views.ts";

export const views: typeof en.views = {
  title: "Filtros guardados",
  none: "Aún no hay nada guardado. Solo usted ve lo que guarda.",
  saveThese: (page) => `Guardar los filtros de esta página (${page})`,
  noFilters: "No hay ningún filtro: el nombre llevará a la página completa.",
  linkHint: "Un enlace muestra lo mismo a quien lo abra y pueda iniciar sesión.",
  name: "Nombre",
  save: "Guardar",
  remove: "Quitar",
  copy: "Copiar enlace",
  copied: "Enlace copiado.",
};

export const handover: typeof en.handover = {
  title: "Relevo",
  none: "Aún no hay notas.",
  add: "Nota para el turno siguiente",
  hint: "No pertenece a ninguna alerta y queda como se escribió. También aparece en el informe de turno.",
  submit: "Dejar nota",
  seen: "Leída",
  seenBy: (names) => `Leída por ${names}`,
};

export const annotations: typeof en.annotations = {
  title: "Notas en los gráficos",
  text: "Nota",
  by: "Autor",
  add: "Nota en el gráfico",
  from: "Desde",
  to: "Hasta (vacío: un momento)",
  onlyThis: (metric) => `Solo en los gráficos de ${metric}`,
  remove: "Quitar",
  none: "No hay notas en este periodo.",
};

export const sensorsPage: typeof en.sensorsPage = {
  title: "Sensores",
  hint: "Todos los sensores, en grupos, con su peor alerta abierta.",
  search: "Buscar",
  searchHint: "Nombre o identificador",
  followed: "Solo los que sigo",
  onlyOpen: "Solo con alertas abiertas",
  group: "Agrupar por",
  groups: { none: "nada", district: "Distrito", kind: "Tipo" },
  tag: (name) => `Etiqueta: ${name}`,
  noValue: "sin valor",
  count: (n, open) => `${n === 1 ? "1 sensor" : `${n} sensores`}${open > 0 ? `, ${open} con alertas abiertas` : ""}`,
  follow: (name) => `Seguir ${name}`,
  star: "Seguido",
  sensor: "Sensor",
  kind: "Tipo",
  district: "Distrito",
  state: "Peor alerta abierta",
  last: "Última lectura",
  calm: "ninguna",
  more: (n) => `Mostrar ${n} más`,
  nothing: "Ningún sensor coincide.",
  compare: "Comparar",
};
