// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import type { LogKey } from '#core/log/note/key.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { parsedPolicy } from '../monitor/watched.ts'

/** A log that the witness of a home in a cloud cosigns. */
export interface AcceptedLog {
  readonly origin: string
  readonly keys: readonly LogKey[]
}

/** The file of a deployment's folder with the keys of those logs, as lines of a policy (c2sp.org/tlog-policy). */
const fileIn = (folder: string) => join(folder, 'accepted.txt')

/** The logs that the witness of a home in a cloud cosigns. @throws AmpereError CONFIGURATION, naming the file and the line */
export function readAccepted(folder: string): readonly AcceptedLog[] {
  const file = fileIn(folder)
  if (!existsSync(file)) return []
  const { logs } = parsedPolicy(file, 'correct it, or remove it: then no log is cosigned')
  const origins = [...new Set(logs.map(({ key }) => key.name))]
  return origins.map((origin) => ({
    origin,
    keys: logs.map(({ key }) => key).filter(({ name }) => name === origin),
  }))
}

/** Replaces the list as a whole, durably. */
export function writeAccepted(folder: string, logs: readonly AcceptedLog[]): void {
  replaceFile(fileIn(folder), logs.length === 0 ? NO_LOG : acceptedText(logs))
}

/** As it is kept, and as a function is told. */
export function acceptedText(logs: readonly AcceptedLog[]): string {
  const all = logs.flatMap(({ keys }) => keys.map((key) => ({ key, url: null })))
  return formatPolicy({ logs: all, witnesses: [], groups: [], quorum: null })
}

const NO_LOG = '# no log is cosigned\nquorum none\n'
