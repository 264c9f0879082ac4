// SPDX-License-Identifier: Apache-2.0
import {
  MAX_COMPARTMENTS,
  MAX_CONTROLLERS,
  MAX_ENTRIES,
  MAX_GRANTS,
  MAX_OBJECT_BYTES,
  MAX_PENDING,
} from '../block/block.ts'
import { MAX_JWS_BYTES, MAX_REVOCATION_BYTES } from '../block/jws.ts'
import type { ErrorCode } from '../errors.ts'
import { MAX_ADD_CHECKPOINT_BYTES } from '../log/add-checkpoint.ts'
import { MAX_NOTE_BYTES } from '../log/note/note.ts'
import { MAX_TLOG_PROOF_BYTES } from '../log/tlog-proof.ts'
import { MAX_ERASED_BYTES } from './erased.ts'
import { MAX_LOOKUP_BYTES } from './lookup.ts'
import { JOB_LIFE_MS, MAX_JOB_SLICE_MS, MAX_JOBS } from './large/job-limits.ts'
import {
  MAX_RANGE_BYTES,
  MAX_UPLOAD_REQUEST_BYTES,
  MAX_UPLOADED_BYTES,
  MAX_UPLOADS,
  UPLOAD_LIFE_MS,
  UPLOAD_URL_MS,
} from './large/upload.ts'

/** Largest body of one append in bytes, sealed object included. Larger batches become several blocks. */
export const MAX_APPEND_BYTES = 32 * 1024 * 1024
/** Blocks per page of a chain or of the registry. */
export const MAX_PAGE_BLOCKS = 500
/** Chains per page of those that an institution holds. */
export const MAX_PAGE_HELD = 200
/** Checkpoints per page. */
export const MAX_PAGE_NOTES = 50
/** Receipts of homes that a chain left, per page: of a height both levels are on one. */
export const MAX_PAGE_RECEIPTS = 100
/** Erasure statements per page. */
export const MAX_PAGE_STATEMENTS = 200
/** How far a block's time may be from the home's, in milliseconds. */
export const CLOCK_TOLERANCE_MS = 120_000
/** How long after it was superseded a registry head may still be named, in milliseconds. */
export const REGISTRY_FRESHNESS_MS = 300_000
/** How old a signed request may be, in milliseconds. */
export const REQUEST_TOLERANCE_MS = 120_000
/** Most shown revocations in one page. */
export const MAX_PAGE_SHOWN = 100
/** Largest registry block in bytes; the same as for every signed statement. */
export const MAX_REGISTRY_BLOCK_BYTES = MAX_JWS_BYTES
/** Proposals of one member that have not expired, those that were taken back included. */
export const MAX_OPEN_PROPOSALS = 16
/** Proposals per page. */
export const MAX_PAGE_PROPOSALS = 50
/** Largest proposal in bytes: of 8 institutions with the largest keys it has about 62 KB. */
export const MAX_PROPOSAL_BYTES = 64 * 1024
/** Largest approval of a proposal, or withdrawal, in bytes: signatures of the largest kind have some 3 KB. */
export const MAX_APPROVAL_BYTES = 16 * 1024
/** Longest URL that is read, in characters; RFC 9110 section 4.1 recommends to support at least 8,000. */
export const MAX_URL_CHARACTERS = 8192
/** How long one audit over HTTP may run, in milliseconds; gateways in front of a home cut requests at 30 s. */
export const MAX_AUDIT_MS = 20_000
/** Within how long a home promises to log what it acknowledged, in milliseconds. */
export const LOGGED_WITHIN_MS = 60_000
/** How long an append waits for the log at most, in milliseconds; gateways in front of a home cut requests at 30 s. */
export const MAX_LOG_WAIT_MS = 20_000
/** How long a request to be enrolled may be answered, in milliseconds from its time by the home's clock: an hour. */
export const ENROLMENT_LIFE_MS = 3_600_000
/** Largest request to be enrolled, or answer, in bytes: a request has two public keys, an answer some keys of logs. */
export const MAX_ENROLMENT_BYTES = 16 * 1024
/** Requests to be enrolled per page. */
export const MAX_PAGE_ENROLMENTS = 50
/** Packages that may come with one control block. */
export const MAX_PACKAGES = 512

/** What a client reads of a home's answers at most, in bytes, by what is asked; a home that keeps the limits stays below. */
export const MAX_ANSWER_BYTES = {
  /** One or two signed statements in JSON: of heads, appends. */
  statements: 2 * MAX_JWS_BYTES + 1024,
  /** A page of blocks of a chain or of the registry. */
  blocks: MAX_PAGE_BLOCKS * (MAX_JWS_BYTES + 4) + 1024,
  /** A page of erasure statements. */
  erased: MAX_PAGE_STATEMENTS * (MAX_ERASED_BYTES + 4) + 1024,
  /** All packages of one reader: some 2,000 epochs of 16 compartments. */
  packages: 64 * 1024 * 1024,
  /** A key row: 4,096 keys or tombstones and 16 envelopes. */
  row: 1024 * 1024,
  /** A page of chains that an institution holds. */
  held: MAX_PAGE_HELD * 100 + 1024,
  /** What one control block brought: no more than could be appended. */
  blockKeys: MAX_APPEND_BYTES + 1024 * 1024,
  /** A page of checkpoints, whose newlines are two characters in JSON. */
  notes: MAX_PAGE_NOTES * 2 * MAX_NOTE_BYTES + 1024,
  /** A page of receipts, whose newlines are two characters in JSON. */
  moved: MAX_PAGE_RECEIPTS * (2 * MAX_TLOG_PROOF_BYTES + 100) + 1024,
  /** A page of proposals with their approvals: what a home answers at once. */
  proposals: MAX_RANGE_BYTES,
  /** A tlog-proof. */
  proof: MAX_TLOG_PROOF_BYTES,
  /** A lookup with its checkpoint, whose newlines take two characters in JSON, and an inclusion proof of up to 63 hashes. */
  lookup: MAX_LOOKUP_BYTES + MAX_NOTE_BYTES + 8192,
  /** How one request to be enrolled stands. */
  enrolment: MAX_ENROLMENT_BYTES + 1024,
  /** A page of requests to be enrolled. */
  enrolments: MAX_PAGE_ENROLMENTS * (MAX_ENROLMENT_BYTES + 100) + 1024,
  /** Taken in and passed over. */
  receipt: 64 * 1024,
  /** A part of an audit. */
  audit: 16 * 1024 * 1024,
} as const
/** Erasure statements of one chain that a client collects, in bytes of their text. */
export const MAX_ERASED_TOTAL_BYTES = 64 * 1024 * 1024
/** Receipts of homes that one chain left, in bytes, at most: some 10,000 blocks, each under a checkpoint of its own. */
export const MAX_MOVED_TOTAL_BYTES = 128 * 1024 * 1024

/** A limit as it is published: its value, what it counts, and how going beyond it is answered (null: nobody can). */
export interface Limit {
  readonly value: number
  readonly means: string
  readonly code: ErrorCode | null
}

const limit = (value: number, means: string, code: ErrorCode | null): Limit => ({ value, means, code })

/** Every limit of a home, by the name under which /.well-known/ampere and the OpenAPI document state it. */
export const LIMITS = {
  maxAppendBytes: limit(MAX_APPEND_BYTES, 'bytes of one append, sealed object included', 'TOO_LARGE'),
  maxEntriesPerBlock: limit(MAX_ENTRIES, 'entries in one block', 'BLOCK_MALFORMED'),
  maxObjectBytes: limit(MAX_OBJECT_BYTES, 'bytes of the ciphertexts of one block', 'BLOCK_MALFORMED'),
  maxRangeBytes: limit(MAX_RANGE_BYTES, 'bytes of a range of an object that is answered whole', null),
  maxUploadRequestBytes: limit(MAX_UPLOAD_REQUEST_BYTES, 'bytes of one request for an upload', 'TOO_LARGE'),
  maxUploads: limit(
    MAX_UPLOADS,
    'uploads of one institution or device that wait to be appended',
    'LIMIT_EXCEEDED',
  ),
  maxUploadedBytes: limit(MAX_UPLOADED_BYTES, 'bytes of all of them together', 'LIMIT_EXCEEDED'),
  uploadUrlMs: limit(UPLOAD_URL_MS, 'milliseconds within which an upload must begin', 'GONE'),
  uploadLifeMs: limit(UPLOAD_LIFE_MS, 'milliseconds within which an upload must be appended', 'GONE'),
  maxJobs: limit(MAX_JOBS, 'jobs of one institution or device that are kept at a time', null),
  maxJobSliceMs: limit(MAX_JOB_SLICE_MS, 'milliseconds for which one request takes a job on', null),
  jobLifeMs: limit(JOB_LIFE_MS, 'milliseconds that a job may take, and that what came of it is kept', null),
  maxStatementBytes: limit(MAX_JWS_BYTES, 'bytes of one signed statement', 'REQUEST_MALFORMED'),
  maxPackages: limit(MAX_PACKAGES, 'packages that come with one control block', 'REQUEST_MALFORMED'),
  maxCompartments: limit(MAX_COMPARTMENTS, 'compartments of a chain', 'BLOCK_MALFORMED'),
  maxControllers: limit(MAX_CONTROLLERS, 'controllers of a chain', 'BLOCK_MALFORMED'),
  maxGrants: limit(MAX_GRANTS, 'grants of a chain', 'VIOLATION'),
  maxPendingSteps: limit(MAX_PENDING, 'erasures that wait on a chain', 'VIOLATION'),
  maxLogWaitMs: limit(MAX_LOG_WAIT_MS, 'milliseconds that an append waits for the log', null),
  clockToleranceMs: limit(
    CLOCK_TOLERANCE_MS,
    'milliseconds that the time of a block may be from the time here',
    'CLOCK_SKEW',
  ),
  registryFreshnessMs: limit(
    REGISTRY_FRESHNESS_MS,
    'milliseconds for which a superseded registry head may still be named',
    'REGISTRY_STALE',
  ),
  requestToleranceMs: limit(
    REQUEST_TOLERANCE_MS,
    'milliseconds that the time of a signed request may be from the time here',
    'UNAUTHORIZED',
  ),
  maxPageBlocks: limit(MAX_PAGE_BLOCKS, 'blocks in one page', 'REQUEST_MALFORMED'),
  maxPageHeld: limit(MAX_PAGE_HELD, 'chains in one page of those that an institution holds', null),
  maxPageNotes: limit(MAX_PAGE_NOTES, 'checkpoints in one page', null),
  maxPageReceipts: limit(MAX_PAGE_RECEIPTS, 'receipts of homes that a chain left in one page', null),
  maxPageStatements: limit(MAX_PAGE_STATEMENTS, 'erasure statements in one page', null),
  maxErasedBytes: limit(MAX_ERASED_BYTES, 'bytes of one erasure statement', 'TOO_LARGE'),
  maxRegistryBlockBytes: limit(MAX_REGISTRY_BLOCK_BYTES, 'bytes of one registry block', 'TOO_LARGE'),
  maxProposalBytes: limit(MAX_PROPOSAL_BYTES, 'bytes of one proposal for the registry', 'TOO_LARGE'),
  maxApprovalBytes: limit(
    MAX_APPROVAL_BYTES,
    'bytes of one approval of a proposal, or withdrawal',
    'TOO_LARGE',
  ),
  maxOpenProposals: limit(
    MAX_OPEN_PROPOSALS,
    'proposals of one member that have not expired',
    'LIMIT_EXCEEDED',
  ),
  maxPageProposals: limit(MAX_PAGE_PROPOSALS, 'proposals in one page', null),
  maxEnrolmentBytes: limit(
    MAX_ENROLMENT_BYTES,
    'bytes of a request to be enrolled, or of its answer',
    'TOO_LARGE',
  ),
  enrolmentLifeMs: limit(
    ENROLMENT_LIFE_MS,
    'milliseconds within which a request to be enrolled must be answered',
    'GONE',
  ),
  maxPageEnrolments: limit(MAX_PAGE_ENROLMENTS, 'requests to be enrolled in one page', null),
  maxRevocationBytes: limit(MAX_REVOCATION_BYTES, 'bytes of one revocation that is shown', 'TOO_LARGE'),
  maxPageShown: limit(MAX_PAGE_SHOWN, 'shown revocations in one page', null),
  maxAddCheckpointBytes: limit(MAX_ADD_CHECKPOINT_BYTES, 'bytes of one request to cosign', 'TOO_LARGE'),
  maxUrlCharacters: limit(MAX_URL_CHARACTERS, 'characters of a URL', 'URI_TOO_LONG'),
  maxAuditMs: limit(MAX_AUDIT_MS, 'milliseconds that one audit over HTTP may run', 'UNSUPPORTED'),
} as const
export type LimitName = keyof typeof LIMITS
