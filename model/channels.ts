/**
 * Where notices may go, and what the form of such a target asks for: an address on the web (`url`) or another one (`to`), and
 * whether messages are signed with a secret. How they are written and sent is in `alerts/channels/`.
 */
export const CHANNELS = {
  webhook: { address: "url", hasSecret: true, prefix: "" },
  slack: { address: "url", hasSecret: false, prefix: "" },
  teams: { address: "url", hasSecret: false, prefix: "" },
  email: { address: "to", hasSecret: false, prefix: "" },
  mqtt: { address: "to", hasSecret: false, prefix: "alerts/to/" },
  push: { address: "to", hasSecret: false, prefix: "", isPersonal: true },
} as const satisfies Readonly<Record<string, ChannelForm>>;

type ChannelForm = {
  readonly address: "url" | "to";
  readonly hasSecret: boolean;
  /** What its `to` begins with. */
  readonly prefix: string;
  /** People set it up for themselves: no admin does. */
  readonly isPersonal?: true;
};

export type TargetType = keyof typeof CHANNELS;
/** Those with a `to`. */
export type ToType = { [T in TargetType]: (typeof CHANNELS)[T]["address"] extends "to" ? T : never }[TargetType];
export const TARGET_TYPES = Object.keys(CHANNELS) as [TargetType, ...TargetType[]];

/** Those an admin can set up. */
export const SHARED_TYPES = TARGET_TYPES.filter((type) => !("isPersonal" in CHANNELS[type]));

export const hasUrl = (type: TargetType): type is Exclude<TargetType, ToType> => CHANNELS[type].address === "url";
