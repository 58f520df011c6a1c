/**
 * Stands for an object that stays in Python: a LATENT, a MODEL, whatever is neither a picture nor plain data. A node
 * that puts it out hands the object on.
 */
export class Handle {
  /** Valid during one run. */
  readonly id: number;
  /** The socket's type. */
  readonly type: string;

  constructor(id: number, type: string) {
    this.id = id;
    this.type = type;
  }
}
