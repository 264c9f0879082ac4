// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { JOSE_TYPE, pairingAnswer } from '#core/api/bridge/pairing.ts'
import { jsonOrNull } from '#core/client/answer.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { acceptPairing, issuePairingCode, joinRecord } from '#core/bridge/file/pair.ts'
import { PAIRING_MS } from '#core/bridge/store/pairing.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import {
  chainArgument,
  shortId,
  withSession,
  type ActingOptions,
  type Session,
} from '../../deployment/session.ts'
import { openBridge } from '../../open/bridge.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { flagsOf } from '../../terminal/hints.ts'
import { EXIT } from '../../terminal/screen.ts'
import { localTime } from '../../terminal/words.ts'

interface JoinOptions extends ActingOptions {
  readonly patient?: string
  readonly at?: string
}

const NO_PATIENT = '--patient is missing: the id that this institution has for the patient'
const NO_BRIDGE = '--at is missing: the address of the bridge that issued the code'
/** How long the other institution's bridge may take to grant, in milliseconds. */
const TIMEOUT_MS = 30_000
/** A chain's id in JSON takes less than a hundred. */
const MAX_PAIRING_ANSWER_BYTES = 16 * 1024

/** Makes a code by which one other institution joins a record, to read and to append. */
export async function pairIssue(call: Call<ActingOptions>): Promise<number> {
  return withSession(call, async (session) => {
    const chain = await chainArgument(session, call.args[0] ?? '')
    const known = (await session.open.records()).find((record) => record.chain === chain)
    if (!known) throw notKnown(session)
    const code = await issuePairingCode(session.open.bridge, known.id)
    const expires = toTimestamp(call.screen.terminal.now() + PAIRING_MS)
    const at = addressOf(session)
    call.screen.print({ ok: true, chain, code, expires, at }, [
      `${code}    for one institution, until ${localTime(expires)}`,
      'Tell it to the other institution yourself: who has it reads and appends to this record.',
      at === null
        ? `Here      npx ampere pair join ${code} --patient ID --as INSTITUTION${flagsOf(call.options)}`
        : `There     npx ampere pair join ${code} --patient ID --at ${at}`,
    ])
    return EXIT.ok
  })
}

/** Where the other institution uses a code; null where only those of this computer can: a code lies in the institution's own table. */
function addressOf({ isInCloud, settings, open }: Session): string | null {
  return isInCloud ? open.address : `${settings.origin}/${open.institution.id}`
}

/** Joins the record behind a code, for a patient who has none here yet. */
export async function pairJoin(call: Call<JoinOptions>): Promise<number> {
  const [code = ''] = call.args
  const { patient, at } = call.options
  if (patient === undefined) throw usage(NO_PATIENT)
  const bridge = at === undefined ? null : bridgeAddress(at)
  return withSession(call, async (session) => {
    const { open } = session
    const { client, store } = open.bridge.ports
    const known = await store.patients.find(patient)
    // Asked before the code is used: it would give rights to a record that then stays without a patient here.
    if (known) {
      const message = `the patient has the record ${shortId(known)} here already; records are not merged`
      throw refuse('ALREADY_EXISTS', message, `npx ampere chain show ${shortId(known)}`)
    }
    const request = await client.requestPairing(code)
    const chain =
      bridge === null
        ? await joinHere(session, request)
        : await requestJoin(bridge, request, askingOf(session))
    await joinRecord(open.bridge, patient, chain)
    call.screen.print({ ok: true, chain, patient }, [
      `${open.institution.id} joined the record ${shortId(chain)}: what it files for this patient goes there.`,
      'Next      npx ampere import FILE, npx ampere findings',
    ])
    return EXIT.ok
  })
}

/** Serves a record that was granted to this institution for one of its patients. Repeating it changes nothing. */
export async function pairLink(call: Call<JoinOptions>): Promise<number> {
  const { patient } = call.options
  if (patient === undefined) throw usage(NO_PATIENT)
  return withSession(call, async (session) => {
    const { open } = session
    const chain = await chainArgument(session, call.args[0] ?? '')
    await joinRecord(open.bridge, patient, chain)
    call.screen.print({ ok: true, chain, patient }, [
      `${open.institution.id} serves the record ${shortId(chain)} for this patient, as far as it may read.`,
      `Next      npx ampere chain show ${shortId(chain)} --as ${open.institution.id}`,
    ])
    return EXIT.ok
  })
}

/** The address of a bridge; in clear only on this computer, because the code is the key to a record. */
function bridgeAddress(text: string): string {
  if (!URL.canParse(text))
    throw usage('--at: an address is expected, such as http://127.0.0.1:7310/hospital-a')
  const { protocol, hostname, href, username, password, search, hash } = new URL(text)
  // RFC 6761 section 6.3: names below localhost are of this computer, as emulators have them.
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || hostname.endsWith('.localhost')
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere))
    throw usage('--at: https is expected (http only on this computer)')
  if (username !== '' || password !== '' || search !== '' || hash !== '')
    throw usage('--at: an address without a name, a password, ? and # is expected')
  return href.replace(/\/$/, '')
}

/** Asks the other institutions of this computer, whose bridges need not be served for that. @throws AmpereError NOT_FOUND; CommanderError (usage) */
async function joinHere(session: Session, request: string): Promise<ChainId> {
  const others = session.settings.institutions.filter((id) => id !== session.open.institution.id)
  if (others.length === 0) throw usage(NO_BRIDGE)
  for (const id of others) {
    const issuer = await openBridge(session, id)
    try {
      return await acceptPairing(issuer.bridge, request)
    } catch (error) {
      if (!isAmpereError(error, 'NOT_FOUND')) throw error
    } finally {
      await issuer.close()
    }
  }
  const message =
    'no other institution of this computer issued such a code, or it was used, or is older than a day'
  throw refuse(
    'NOT_FOUND',
    message,
    'ask the other institution for a new code, and for its address: --at ADDRESS',
  )
}

/** Sends a signed request to join to the bridge that issued the code. @throws AmpereError as that bridge answers */
async function requestJoin(bridge: string, compact: string, ask: Fetch): Promise<ChainId> {
  const late = AbortSignal.timeout(TIMEOUT_MS)
  const response = await answerOf(bridge, compact, late, ask)
  if (!response.ok) throw refused(bridge, response.status)
  const parsed = v.safeParse(pairingAnswer, await jsonOrNull(response, MAX_PAIRING_ANSWER_BYTES, late))
  if (parsed.success) return parsed.output.chain
  throw new AmpereError('UPSTREAM_FAILED', `${bridge} did not answer as a bridge does`)
}

function refused(bridge: string, status: number): Error {
  if (status === 404) {
    const message = `${bridge} knows no such code: it is wrong, was used, or is older than a day`
    return refuse('NOT_FOUND', message, 'ask the other institution for a new code, and for its address')
  }
  if (status === 401) {
    const message = `${bridge} does not know this institution, or one of the two clocks is wrong`
    return refuse('UNAUTHORIZED', message, 'npx ampere instance list, npx ampere doctor')
  }
  return new AmpereError('UPSTREAM_FAILED', `${bridge} answered ${status}`)
}

/** A home in a cloud is asked over the network, as bridges are; one that this process opened is not. */
function askingOf({ isInCloud, fetch: ask }: Session): Fetch {
  return isInCloud ? ask : (request) => fetch(request)
}

async function answerOf(bridge: string, compact: string, signal: AbortSignal, ask: Fetch): Promise<Response> {
  const request = new Request(`${bridge}/pairing`, {
    method: 'POST',
    headers: { 'content-type': JOSE_TYPE },
    body: compact,
    redirect: 'error',
    signal,
  })
  try {
    return await ask(request)
  } catch (cause) {
    const message = `${bridge} cannot be reached`
    throw refuse('UPSTREAM_FAILED', message, 'is it the address of a bridge, and does its server run?', cause)
  }
}

function notKnown({ open }: Session): Error {
  return refuse(
    'NOT_FOUND',
    `${open.institution.id} has no patient with this record`,
    'npx ampere chain list',
  )
}
