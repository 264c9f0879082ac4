// SPDX-License-Identifier: Apache-2.0
import { asInstitutionId } from '#core/bytes/ids.ts'
import { isAmpereError } from '#core/errors.ts'
import { usage } from './refuse.ts'

/** An institution as `ID=NAME` names it. */
export interface NamedInstitution {
  readonly id: string
  readonly name: string
}

/** A TCP port. @throws CommanderError (usage), as all of these */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw usage('--port: a port is 1 to 65535')
  return port
}

/** A number of days, at most a hundred years of them. */
export function parseDays(text: string): number {
  const days = parseCount(text)
  if (days < 1 || days > 36_500) throw usage('a number of days is 1 to 36500')
  return days
}

/** For how many days an app instance is enrolled: as many as the registry lets it. */
export function parseExpiryDays(text: string): number {
  const days = parseCount(text)
  if (days < 1 || days > 398) throw usage('an instance is enrolled for 1 to 398 days')
  return days
}

/** Base URL of a collector. What it needs to know who sends is not in the URL, which others see. */
export function parseCollector(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isPlain =
    url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!isPlain || !['http:', 'https:'].includes(url.protocol))
    throw usage('--otlp: an http or https URL is expected, as http://127.0.0.1:4318')
  return url.href
}

/** A block height or another count. */
export function parseCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`a count is expected, not ${text.slice(0, 20)}`)
  return Number(text)
}

/** How many chains a minute, 1 to 60,000. */
export function parsePerMinute(text: string): number {
  const perMinute = parseCount(text)
  if (perMinute < 1 || perMinute > 60_000) throw usage('--per-minute: 1 to 60000 chains are expected')
  return perMinute
}

/** A day, which counts to its end, or an RFC 3339 time, as milliseconds since 1970. */
export function parseUntil(text: string): number {
  return timeOf(text, '23:59:59.999')
}

/** A day, which counts from its beginning, or an RFC 3339 time, as milliseconds since 1970. */
export function parseSince(text: string): number {
  return timeOf(text, '00:00:00.000')
}

/** Days are those of this computer's zone. */
function timeOf(text: string, timeOfDay: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const ms = isDay ? Date.parse(`${text}T${timeOfDay}`) : isTime ? Date.parse(text) : Number.NaN
  // Date.parse takes 31 February for 3 March, which would give more time than was meant.
  const [year = 0, month = 0, day = 0] = text.split(/[-T]/, 3).map(Number)
  const isOfCalendar = day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
  if (Number.isNaN(ms) || !isOfCalendar)
    throw usage('a day (2026-11-23) or a time (2026-11-23T14:05:00Z) is expected')
  return ms
}

/** Words separated by commas. */
export function parseList(text: string): readonly string[] {
  const filled = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  if (filled.length === 0) throw usage('a list separated by commas is expected')
  return filled
}

/** What is wrong with an institution's id, or undefined. */
export function institutionIdProblem(text: string): string | undefined {
  try {
    asInstitutionId(text)
    return undefined
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return 'an id is 1 to 63 of a-z, 0-9 and inner hyphens, for example st-marys'
  }
}

/** `id=Name`; may be given several times. The registry keeps the name for ever, so that none is guessed. */
export function parseInstitution(text: string, before: unknown): readonly NamedInstitution[] {
  const at = text.indexOf('=')
  if (at < 0) throw usage(`--institution: ID=NAME is expected, for example st-marys="St Mary's"`)
  const id = text.slice(0, at)
  const problem = institutionIdProblem(id)
  if (problem !== undefined) throw usage(`--institution: ${problem}`)
  const name = text.slice(at + 1).trim()
  if (name === '' || name.length > 200) throw usage('--institution: a name has 1 to 200 characters')
  return [...((before ?? []) as readonly NamedInstitution[]), { id, name }]
}
