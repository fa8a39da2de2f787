import type { z } from "zod";
import type {
  AuditCheckView,
  AuditEntryView,
  AuditQuery,
  CredentialView,
  DeviceView,
  GatewayChange,
  GatewayView,
  NewDevice,
  NewGateway,
  NewPassword,
  NewUser,
  RemovedView,
  RotatedView,
  Rotation,
  SignIn,
  UserChange,
  UserView,
} from "./account.ts";
import type { AlertAction, AlertActionAsk, AlertsQuery, AlertView } from "./alert.ts";
import type { AnnotationsQuery, AnnotationView, NewAnnotation } from "./annotation.ts";
import type { BacktestMany, BacktestOne, BacktestView } from "./backtest.ts";
import type { CalibrationView, NewCalibrationBody } from "./calibration.ts";
import type { CaptureQuery, CaptureView } from "./capture.ts";
import type { PageOf, paging } from "./common.ts";
import type { CorrectionDoneView, CorrectionView, NewCorrectionBody, RevokeBody } from "./correction.ts";
import type { AssigneesView, CrewView, NewCrew } from "./crew.ts";
import type { DistrictView, NewDistrict, SavedDistrictView } from "./district.ts";
import type { HandoverView, NewHandover } from "./handover.ts";
import type {
  IncidentAction,
  IncidentActionAsk,
  IncidentDetailView,
  IncidentsQuery,
  IncidentView,
} from "./incident.ts";
import type {
  CauseCorrection,
  CorrectedView,
  DecideBody,
  Dismissal,
  DismissedView,
  EditedPayload,
  LedgerQuery,
  LedgerView,
  QuarantineItemView,
  QuarantineQuery,
  Redrive,
  RedrivenView,
  StoreReportView,
  TraceQuery,
  TraceView,
} from "./ledger.ts";
import type {
  BaseView,
  MappingCheckView,
  MappingTrial,
  MappingTrialView,
  MappingView,
  NewMapping,
  SuggestionQuery,
  SuggestionView,
  UnmappedView,
} from "./mapping.ts";
import type { BrowserView, NewBrowser, PersonalNotifyView, PersonalWishes, TestedView } from "./personal-notify.ts";
import type { LatestQuery, LatestView, RegisterQuery, SensorFaultsView, SensorView } from "./reading.ts";
import type { ChangedSensorView, SensorChange } from "./register.ts";
import type { Because, NewRule, Reason, RulesCheckView, RulesYaml, RuleView } from "./rule.ts";
import type { NewSilence, SilencePreview, SilencePreviewView, SilencesQuery, SilenceView } from "./silence.ts";
import type { NewRecording, NewRun, RecordingView, RunView } from "./simulation.ts";
import type { AddedTargetView, ChangedTarget, NewTarget, TargetTestView, TargetView } from "./target.ts";
import type { FavouritesView, NewView, SavedView } from "./views.ts";
import type { AddedWallDisplayView, NewWallDisplay, WallDisplayView, WallView } from "./wall.ts";

/** The names of what may be asked for; the values are text in an address. */
type Names<Q extends z.ZodType> = keyof z.input<Q> & string;
type Paging = keyof typeof paging;

/** What may be read, by its path under `/api/v1`: the names of the query, and what is answered. */
type Reads = {
  readonly "/alerts": { query: Names<typeof AlertsQuery>; answer: PageOf<AlertView> };
  readonly [one: `/alerts/${string}`]: { query: never; answer: AlertView };
  readonly "/incidents": { query: Names<typeof IncidentsQuery>; answer: PageOf<IncidentView> };
  readonly [one: `/incidents/${string}`]: { query: never; answer: IncidentDetailView };
  readonly "/audit": { query: Names<typeof AuditQuery>; answer: PageOf<AuditEntryView> };
  readonly "/audit/verify": { query: never; answer: AuditCheckView };
  readonly "/capture": { query: Names<typeof CaptureQuery>; answer: CaptureView };
  readonly "/session/notifications": { query: never; answer: PersonalNotifyView };
  readonly "/views": { query: never; answer: PageOf<SavedView> };
  readonly "/favourites": { query: never; answer: FavouritesView };
  readonly "/handover": { query: Paging; answer: PageOf<HandoverView> };
  readonly "/wall": { query: never; answer: WallView };
  readonly "/wall-displays": { query: never; answer: PageOf<WallDisplayView> };
  readonly [one: `/sensors/${string}/annotations`]: {
    query: Names<typeof AnnotationsQuery>;
    answer: PageOf<AnnotationView>;
  };
  readonly "/crews": { query: never; answer: PageOf<CrewView> };
  readonly "/assignees": { query: never; answer: AssigneesView };
  readonly "/districts": { query: Paging | "outlines"; answer: PageOf<DistrictView> };
  readonly "/removed": { query: Paging; answer: PageOf<RemovedView> };
  readonly "/devices": { query: Paging; answer: PageOf<DeviceView> };
  readonly "/gateways": { query: Paging; answer: PageOf<GatewayView> };
  readonly "/mappings": { query: Paging; answer: PageOf<MappingView> };
  readonly [one: `/mappings/${string}`]: { query: never; answer: MappingView };
  readonly "/mapping-bases": { query: never; answer: PageOf<BaseView> };
  readonly "/unmapped/suggestion": { query: Names<typeof SuggestionQuery>; answer: SuggestionView };
  readonly "/unmapped": { query: Paging; answer: PageOf<UnmappedView> };
  readonly "/ledger": { query: Names<typeof LedgerQuery>; answer: LedgerView };
  readonly "/ledger/trace": { query: Names<typeof TraceQuery>; answer: TraceView };
  readonly "/quarantine/sensors": {
    query: Paging;
    answer: PageOf<SensorFaultsView>;
  };
  readonly "/quarantine": { query: Names<typeof QuarantineQuery>; answer: PageOf<QuarantineItemView> };
  readonly [one: `/quarantine/${number}`]: { query: never; answer: QuarantineItemView };
  readonly "/readings/latest": { query: Names<typeof LatestQuery>; answer: PageOf<LatestView> };
  readonly [one: `/sensors/${string}/corrections`]: { query: Paging; answer: PageOf<CorrectionView> };
  readonly "/sensors": { query: Names<typeof RegisterQuery>; answer: PageOf<SensorView> };
  readonly [one: `/sensors/${string}/calibrations`]: { query: never; answer: PageOf<CalibrationView> };
  readonly "/silences": { query: Names<typeof SilencesQuery>; answer: PageOf<SilenceView> };
  readonly "/store": { query: never; answer: StoreReportView };
  readonly "/targets": { query: Paging; answer: PageOf<TargetView> };
  readonly [one: `/targets/${string}`]: { query: never; answer: TargetView };
  readonly "/users": { query: Paging; answer: PageOf<UserView> };
};
export type AskedPath = keyof Reads;
export type Asked<P extends AskedPath> = { readonly [Name in Reads[P]["query"]]?: string | number | undefined };
export type Answer<P extends AskedPath> = Reads[P]["answer"];

type Nothing = Readonly<Record<string, never>>;
/** What may be sent, by method and path under `/api/v1`: the body, and what is answered. */
export type Sends = {
  readonly [one: `POST /alerts/${string}/${AlertAction}`]: { body: AlertActionAsk; answer: AlertView };
  readonly [one: `POST /incidents/${string}/${IncidentAction}`]: {
    body: IncidentActionAsk;
    answer: IncidentDetailView;
  };
  readonly [one: `POST /sensors/${string}/corrections${"" | "?dryRun=true"}`]: {
    body: NewCorrectionBody;
    answer: CorrectionDoneView;
  };
  readonly [one: `POST /corrections/${number}/revoke`]: { body: RevokeBody; answer: CorrectionDoneView };
  readonly [one: `POST /sensors/${string}/calibrations`]: { body: NewCalibrationBody; answer: CalibrationView };
  readonly [one: `POST /calibrations/${number}/end`]: { body: Nothing; answer: CalibrationView };
  readonly [one: `POST /quarantine/${number}/decide`]: { body: DecideBody; answer: QuarantineItemView };
  readonly "POST /devices": { body: NewDevice; answer: CredentialView };
  readonly "POST /gateways": { body: NewGateway; answer: CredentialView };
  readonly "POST /quarantine/dismiss": { body: Dismissal; answer: DismissedView };
  readonly "POST /quarantine/correct": { body: CauseCorrection; answer: CorrectedView };
  readonly "POST /quarantine/correct?dryRun=true": { body: CauseCorrection; answer: CorrectedView };
  readonly [one: `POST /quarantine/${number}/edit`]: { body: EditedPayload; answer: RedrivenView };
  readonly "POST /quarantine/redrive": { body: Redrive; answer: RedrivenView };
  readonly "POST /recordings": { body: NewRecording; answer: RecordingView };
  readonly [one: `POST /recordings/${string}/stop`]: { body: Nothing; answer: unknown };
  readonly [one: `PUT /crews/${string}`]: { body: NewCrew; answer: CrewView };
  readonly [one: `PUT /rules/${string}`]: { body: NewRule; answer: RuleView };
  readonly [one: `DELETE /rules/${string}`]: { body: Reason; answer: undefined };
  readonly [one: `POST /rules/${string}/promote`]: { body: Because; answer: RuleView };
  readonly "POST /rules/backtest": { body: BacktestMany; answer: BacktestView };
  readonly [one: `PUT /mappings/${string}`]: { body: NewMapping; answer: MappingView };
  readonly "POST /mappings/check": { body: { yaml: string }; answer: MappingCheckView };
  readonly "POST /mappings/try": { body: MappingTrial; answer: MappingTrialView };
  readonly "POST /rules/check": { body: RulesYaml; answer: RulesCheckView };
  readonly [one: `POST /rules/${string}/backtest`]: { body: BacktestOne; answer: BacktestView };
  readonly [one: `PATCH /sensors/${string}`]: { body: SensorChange; answer: ChangedSensorView };
  readonly [one: `POST /sensors/${string}/restore`]: { body: Nothing; answer: SensorView };
  readonly "POST /session": { body: SignIn; answer: unknown };
  readonly "PUT /session/password": { body: NewPassword; answer: undefined };
  readonly "POST /silences": { body: NewSilence; answer: SilenceView };
  readonly "POST /silences/preview": { body: SilencePreview; answer: SilencePreviewView };
  readonly "POST /simulations": { body: NewRun; answer: RunView };
  readonly "POST /targets": { body: NewTarget; answer: AddedTargetView };
  readonly [one: `PUT /targets/${string}`]: { body: ChangedTarget; answer: TargetView };
  readonly [one: `POST /targets/${string}/test`]: { body: Nothing; answer: TargetTestView };
  readonly "PUT /session/notifications": { body: PersonalWishes; answer: PersonalNotifyView };
  readonly "POST /session/notifications/test": { body: Nothing; answer: TestedView };
  readonly "POST /session/browsers": { body: NewBrowser; answer: BrowserView };
  readonly "POST /views": { body: NewView; answer: SavedView };
  readonly [one: `PUT /favourites/${string}`]: { body: Nothing; answer: undefined };
  readonly "POST /handover": { body: NewHandover; answer: HandoverView };
  readonly [one: `POST /handover/${number}/seen`]: { body: Nothing; answer: HandoverView };
  readonly [one: `POST /sensors/${string}/annotations`]: { body: NewAnnotation; answer: AnnotationView };
  readonly "POST /wall-displays": { body: NewWallDisplay; answer: AddedWallDisplayView };
  readonly "POST /users": { body: NewUser; answer: CredentialView };
  readonly [one: `PATCH /users/${string}`]: { body: UserChange; answer: UserView };
  readonly [one: `POST /users/${string}/password`]: { body: Nothing; answer: CredentialView };
  readonly [one: `POST /users/${string}/sign-out`]: { body: Nothing; answer: { readonly ended: number } };
  readonly [one: `PATCH /gateways/${string}`]: { body: GatewayChange; answer: GatewayView };
  readonly [one: `POST /${"devices" | "gateways"}/${string}/rotate`]: { body: Rotation; answer: RotatedView };
  readonly [one: `PUT /districts/${string}`]: { body: NewDistrict; answer: SavedDistrictView };
  readonly [one: `POST /removed/${number}/undo`]: { body: Nothing; answer: undefined };
};
export type Send<Method extends string, Path extends string> = `${Method} ${Path}` extends infer Line extends
  keyof Sends
  ? Sends[Line]
  : never;
/** The paths of one method. */
export type SentPath<Method extends string> = keyof Sends extends infer L
  ? L extends `${Method} ${infer P}`
    ? P
    : never
  : never;
