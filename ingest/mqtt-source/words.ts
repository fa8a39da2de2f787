import type { Ended } from "./connection.ts";

const UNKNOWN_AUTHORITY =
  "its certificate is not signed by an authority this machine knows; LAMPPOST_MQTT_SOURCE_CA names the authority's PEM file";
const BAD_LOGIN = "it refused the user name or the password in LAMPPOST_MQTT_SOURCE_URL";
const NO_ANSWER = "it hung up without an answer: is it the right port, and right to use (or not to use) TLS, mqtts://?";
/** The broker closed the connection, in the words of Node. */
const CLOSED = new Set<unknown>(["ECONNRESET", "EPIPE"]);
const NOT_TLS = "it does not speak TLS on this port; mqtt:// is without TLS";

/** CONNACK codes of MQTT 3.1.1 and 5, and the error codes of Node: what they mean for the one who has to act. */
const WORDS: Readonly<Record<string, string>> = {
  2: "it refused the client id",
  3: "it says it is unavailable",
  4: BAD_LOGIN,
  5: "it does not authorise this user",
  133: "it refused the client id",
  134: BAD_LOGIN,
  135: "it does not authorise this user",
  136: "it says it is unavailable",
  137: "it says it is busy",
  138: "it has banned this client",
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to that host",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  EPROTO: NOT_TLS,
};

/** Nothing of ours, nor of the network, was the reason. */
export function hungUp({ error }: Pick<Ended, "error">): boolean {
  return !error || CLOSED.has(error.code);
}

/** Why a connection ended, in words for an operator. */
export function explainEnd(end: Ended): string {
  if (hungUp(end)) return end.accepted ? "it closed the connection" : NO_ANSWER;
  const { code, message } = end.error!;
  return WORDS[code ?? ""] ?? message;
}
