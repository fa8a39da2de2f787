/** What a photo may be, and how its file ends. */
export const PHOTO_TYPES = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp" } as const;
export type PhotoType = keyof typeof PHOTO_TYPES;
export const PHOTO_TYPE_NAMES = ["image/jpeg", "image/png", "image/webp"] as const satisfies readonly PhotoType[];

/** As it is sent. A phone's page makes it smaller before. */
export const PHOTO_BYTES_MAX = 2 * 1024 * 1024;
/** Said with one deed, and kept of one alert. */
export const PHOTOS_PER_DEED_MAX = 4;
export const PHOTOS_PER_ALERT_MAX = 40;

/** A photo that people took of what an alert is about. */
export type Photo = {
  /** By alert and content: the same photo sent again is the same one. */
  readonly id: string;
  readonly alert: string;
  readonly type: PhotoType;
  readonly bytes: number;
  readonly by: string;
  readonly at: number;
};

export const photoFile = ({ id, type }: Pick<Photo, "id" | "type">): string => `${id}.${PHOTO_TYPES[type]}`;
