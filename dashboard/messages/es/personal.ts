import type * as en from "../en/personal.ts";

export const personal: typeof en.personal = {
  title: "Avisarme de las alertas",
  hint: "Solo usted lo ve y lo cambia. A quien se avisó del comienzo de una alerta se le avisa también del final.",
  browsers: "Mis navegadores",
  addBrowser: "Configurar este navegador",
  forget: "Olvidar",
  cannotPush:
    "Este navegador no puede recibir avisos aquí. Hace falta https; en un iPhone, añada primero la página a la pantalla de inicio.",
  denied: "Este navegador no permite avisos de esta página. Permítalos en sus ajustes e inténtelo de nuevo.",
  failed: "Este navegador no ha podido contactar con su servicio de avisos. Inténtelo más tarde.",
  wishes: "Qué, cuándo y cómo",
  onCall: "Estoy de guardia: avisarme",
  push: "Avisos en mis navegadores",
  mail: "Correo electrónico",
  mailHint: "Déjelo vacío si no quiere correos.",
  noMail: "Este servicio no envía correos.",
  where: "Dónde",
  whereOf: { all: "Toda la ciudad", mine: "Donde trabajan mis equipos", some: "Estos distritos" },
  quiet: "Horas de silencio",
  quietHint: "Lo que llegue entretanto se avisa después; lo crítico, al instante.",
  from: "Desde",
  to: "Hasta",
  saved: "Guardado.",
  test: "Enviarme una prueba",
  sent: "Enviado. Debería aparecer en un momento.",
  nothing: "Aún no hay nada configurado.",
};
