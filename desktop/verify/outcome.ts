// SPDX-License-Identifier: Apache-2.0
import { completeJson } from '#core/client/complete/completeness-json.ts'
import { logCounts } from '#core/client/export/log-counts.ts'
import type { ExportReport } from '#core/client/export/verify-export.ts'
import { isAmpereError, type ErrorCode } from '#core/errors.ts'

/** What one check came to: the report of `verifyExport`, or why there is none. */
export type Outcome =
  | { readonly report: ExportReport; readonly failure: null }
  | { readonly report: null; readonly failure: Failure }

/** Why there is no report: a code of core, or one of the page's own. */
export interface Failure {
  readonly code: ErrorCode | PageCode
  readonly message: string
}

/** What only a page can fail by: a connection without WebCrypto, a file too large for it, or bytes that the browser keeps. */
export type PageCode = 'INSECURE' | 'FILE_TOO_LARGE' | 'UNREADABLE' | 'UNEXPECTED'

/** An outcome without a report, from whatever was thrown. */
export function failedWith(error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error)
  if (!isAmpereError(error)) return pageFailed('UNEXPECTED', message)
  return { report: null, failure: { code: error.code, message } }
}

/** An outcome without a report, by the page's own reasons. */
export function pageFailed(code: PageCode, message: string): Outcome {
  return { report: null, failure: { code, message } }
}

/** What `ampere verify FILE --json` prints for the same file, but a failure as its code and message. */
export function asJson({ report, failure }: Outcome): object {
  if (!report) return { ok: false, ...failure }
  const judged = { log: logCounts([report.log]), complete: completeJson(report.complete) }
  return { ok: report.problems.length === 0, ...report, ...judged }
}
