// SPDX-License-Identifier: Apache-2.0
import type { Issue } from './fhir/model.ts'
import type { AmpereError, ErrorCode } from '../errors.ts'

/** FHIR IssueType per error code; what is not listed is `exception`. */
const ISSUE_TYPES: Partial<Record<ErrorCode, string>> = {
  JSON_MALFORMED: 'structure',
  ENCODING_MALFORMED: 'structure',
  RESOURCE_MALFORMED: 'invalid',
  REQUEST_MALFORMED: 'invalid',
  UNAUTHORIZED: 'login',
  TOKEN_EXPIRED: 'expired',
  FORBIDDEN: 'forbidden',
  NOT_FOUND: 'not-found',
  GONE: 'deleted',
  HEAD_CONFLICT: 'conflict',
  ALREADY_EXISTS: 'conflict',
  PRECONDITION_FAILED: 'conflict',
  TOO_LARGE: 'too-long',
  UNSUPPORTED: 'not-supported',
  UNSUPPORTED_MEDIA_TYPE: 'not-supported',
  LIMIT_EXCEEDED: 'throttled',
  STORE_UNAVAILABLE: 'transient',
  STORE_FULL: 'no-store',
}

/** An OperationOutcome for an error. Its text is ours and never repeats what was sent. */
export function outcomeOf(error: AmpereError): object {
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: ISSUE_TYPES[error.code] ?? 'exception', diagnostics: error.message }],
  }
}

/** An OperationOutcome for what validation found. */
export function outcomeOfIssues(issues: readonly Issue[]): object {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map((issue) => ({
      severity: issue.severity,
      code: issue.code === 'not-supported' ? 'not-supported' : issue.code,
      diagnostics: issue.diagnostics,
      ...(issue.expression === '' ? {} : { expression: [issue.expression] }),
    })),
  }
}
