// SPDX-License-Identifier: Apache-2.0

/** The only fields that a log line may have; none can hold medical data, a name or a key. */
export interface LogFields {
  readonly event: string
  readonly requestId?: string
  readonly role?: string
  readonly method?: string
  /** The route's pattern, never the path itself. */
  readonly route?: string
  readonly status?: number
  readonly code?: string
  /** Of docs/PROTOCOL.md or docs/protocol/RULES.md: what did not verify. */
  readonly rule?: string
  readonly error?: string
  readonly durationMs?: number
  readonly bytes?: number
  readonly count?: number
  readonly port?: number
  readonly version?: string
}

/** Writes one structured line. */
export type Log = (fields: LogFields) => void

const ALLOWED: ReadonlySet<string> = new Set([
  'event',
  'requestId',
  'role',
  'method',
  'route',
  'status',
  'code',
  'rule',
  'error',
  'durationMs',
  'bytes',
  'count',
  'port',
  'version',
] satisfies (keyof LogFields)[])

/** A log of JSON lines; a field outside the allow-list is dropped even if a caller forgot its type. */
export function jsonLog(write: (line: string) => void, now: () => number): Log {
  return (fields) => {
    const kept = Object.entries(fields).filter(([name]) => ALLOWED.has(name))
    write(JSON.stringify({ time: new Date(now()).toISOString(), ...Object.fromEntries(kept) }))
  }
}

/** Says nothing. */
export const silentLog: Log = () => {}

/** What is said of a request when it comes. */
export interface RequestHead {
  readonly method: string
  /** As the caller sent it (W3C Trace Context), or null. */
  readonly traceparent: string | null
}

/** What is said of a request once it is answered: what its log line says. */
export interface RequestEnd {
  readonly role: string
  /** The route's pattern, never the path itself. */
  readonly route: string
  readonly status: number
  readonly requestId: string
  /** Of the problem that was answered; null for none. */
  readonly code: string | null
}

/** What a home, or a bridge, does that nobody asked for. */
export type ActName =
  | 'sequence'
  | 'cosign'
  | 'chores'
  | 'audit-log'
  | 'monitor'
  | 'erase'
  | 'sweep'
  | 'work'
  | 'mirror'
  | 'follow'
  | 'check'
  | 'enter-readings'
  | 'rotate'

/** Amounts that are measured where they are known; none names a patient, a chain or a block. */
export interface Amounts {
  /** Blocks that a run of the sequencer logged. */
  readonly 'log.blocks': number
  /** How long the oldest block of a run had waited when it was logged, in milliseconds; 0 when none waits; while logging fails, since when. */
  readonly 'log.lag': number
  /** Chains that cannot be logged because of what the store holds. */
  readonly 'log.skipped': number
  /** From when a block was stored until who waits had its receipt, in milliseconds. */
  readonly 'receipt.wait': number
  /** Who waited for a receipt and was given none in time. */
  readonly 'receipt.none': number
  /** Erasures that are ordered and could not be carried out. */
  readonly 'erasures.waiting': number
  /** Findings of an audit of the log that came to its end; its age counts from here. */
  readonly 'audit.findings': number
  /** A process that audits has begun: the age of its last audit counts from here. */
  readonly 'audit.begun': number
}

/** What is measured and traced beside the log. A host makes it: roles say what happens, and know nothing of how it is told. */
export interface Telemetry {
  /** Answers one request as one span, with what `answer` does inside it. */
  readonly request: (head: RequestHead, answer: () => Promise<RequestEnd>) => Promise<void>
  /** Does something as one span. */
  readonly act: <T>(name: ActName, act: () => Promise<T>) => Promise<T>
  readonly amount: (name: keyof Amounts, value: number) => void
}

/** Measures nothing. */
export const silentTelemetry: Telemetry = {
  request: async (_, answer) => void (await answer()),
  act: (_, act) => act(),
  amount: () => {},
}
