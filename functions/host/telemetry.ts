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
