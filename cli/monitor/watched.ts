// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { logIdOf } from '#core/api/log.ts'
import { isAmpereError } from '#core/errors.ts'
import { formatPolicy, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { WatchedLog } from '#core/server/monitor/needs.ts'
import { makeFolder } from '../deployment/files.ts'
import { refuse } from '../program/refuse.ts'

/** The folder with one file for each log that a home monitors, in the format of c2sp.org/tlog-policy. */
export function watchedFolder(folder: string): string {
  return join(folder, 'monitored')
}

/**
 * The logs that a home monitors, in the order of their files; none where there is no folder.
 * @throws AmpereError CONFIGURATION, naming the file
 */
export function readWatched(folder: string): readonly WatchedLog[] {
  const logs = watchedFolder(folder)
  if (!existsSync(logs)) return []
  const files = readdirSync(logs).filter((name) => name.endsWith('.txt'))
  return files.toSorted().map((name) => readOne(join(logs, name)))
}

/** Adds a log, or replaces what was said of it; a server that runs looks at it within seconds. */
export function writeWatched(folder: string, { origin, url, policy }: WatchedLog): void {
  const logs = policy.logs.filter(({ key }) => key.name === origin).map(({ key }) => ({ key, url }))
  makeFolder(watchedFolder(folder))
  replaceFile(fileOf(folder, origin), formatPolicy({ ...policy, logs }))
}

/** Ends the monitoring of a log; what was copied stays. @returns false when it was not monitored */
export function removeWatched(folder: string, origin: string): boolean {
  const file = fileOf(folder, origin)
  if (!existsSync(file)) return false
  rmSync(file)
  return true
}

/** Whether a log is monitored, also where its file is wrong. */
export function isWatched(folder: string, origin: string): boolean {
  return existsSync(fileOf(folder, origin))
}

function fileOf(folder: string, origin: string): string {
  return join(watchedFolder(folder), `${logIdOf(origin)}.txt`)
}

function readOne(file: string): WatchedLog {
  const policy = parsedPolicy(file, 'correct it, or remove it: then this log is not monitored')
  const [first] = policy.logs
  const origins = new Set(policy.logs.map(({ key }) => key.name))
  const url = policy.logs.find((log) => log.url !== null)?.url ?? null
  if (first && url !== null && origins.size === 1) return { origin: first.key.name, url, policy }
  const message = `${file} does not have the keys of one log, with its URL`
  throw refuse('CONFIGURATION', message, 'correct it, or remove it: then this log is not monitored')
}

/** A policy in a file. @throws AmpereError CONFIGURATION, naming the file and the line */
export function parsedPolicy(file: string, next: string): Policy {
  if (!existsSync(file)) throw refuse('CONFIGURATION', `there is no file ${file}`, next)
  try {
    return parsePolicy(readFileSync(file))
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw refuse('CONFIGURATION', `${file}: ${cause.message}`, next, cause)
  }
}
