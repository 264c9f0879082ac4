// SPDX-License-Identifier: Apache-2.0

/** What an upload has to be. */
export interface UploadTerms {
  /** Exact length. */
  readonly bytes: number
  /** SHA-256 of the bytes in base64url, 43 characters. */
  readonly sha256: string
  /** When it must have begun, in milliseconds since 1970 UTC. */
  readonly expiresMs: number
}

/** One request that puts the bytes where they are to lie, to be sent as it is; whoever has it needs nothing else. */
export interface SignedUpload {
  readonly method: 'PUT'
  /** Absolute, or a path of the home itself. */
  readonly url: string
  /** Headers that have to be sent, beside Content-Length. */
  readonly headers: Readonly<Record<string, string>>
}

/** Terms that were signed here, and the name that they are for. */
export interface AdmittedUpload extends UploadTerms {
  readonly name: string
}

/**
 * Signs uploads into the object store `uploads`, so that large bodies need not pass a gateway.
 *
 * The bytes lie under their name, durable, once a PUT was answered with 2xx. The first writer wins: later ones change nothing,
 * and get 2xx, 409 or 412. Expiry is always enforced. A store that can checks length and hash before it stores anything; whoever uses the
 * bytes checks them all the same.
 * A signature may stop working before it expires (a restart, a key's rotation): then offer again.
 * Retries: by the caller; offering twice is harmless.
 * Trust: none; a signed upload lets whoever has it put these bytes under this name, and nothing else.
 * @throws AmpereError STORE_UNAVAILABLE
 */
export interface Uploads {
  /** Largest upload. */
  readonly maxBytes: number
  /**
   * Signs an upload to a name: one segment as `checkObjectName` allows.
   * @throws RangeError for another name or hash, 0 bytes or more than `maxBytes`
   */
  offer(name: string, terms: UploadTerms): Promise<SignedUpload>
  /**
   * Of a URL at which the home itself takes the bytes, what was signed for it, expired or not; null for what was not signed
   * here, and always where uploads go to the store directly.
   */
  admit(url: URL): Promise<AdmittedUpload | null>
}

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,200}$/

/** @throws RangeError for terms that no adapter signs */
export function checkUpload(name: string, { bytes, sha256 }: UploadTerms, maxBytes: number): void {
  if (!SEGMENT.test(name)) throw new RangeError('an upload is named by one segment of an object name')
  if (!/^[A-Za-z0-9_-]{43}$/.test(sha256)) throw new RangeError('an upload has a SHA-256 in base64url')
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > maxBytes)
    throw new RangeError(`an upload has 1 to ${maxBytes} bytes`)
}
