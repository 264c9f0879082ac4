// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { openKeyring } from '#adapters/local/keys/keyring.ts'
import { asDigest, asInstanceId, asInstitutionId, type Digest, type InstitutionId } from '#core/bytes/ids.ts'
import { makeEnrolment } from '#core/client/enrol/ask.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { openEnrolment } from '#core/registry/enrolment.ts'
import { institutionFolder, keyFileOf, makeFolder } from '../../deployment/files.ts'
import { makePassphrase, readPassphrase } from '../../deployment/passphrase.ts'
import { dataFolder, readSettings, type PassphraseSource } from '../../deployment/settings.ts'
import type { Applicant, HereOptions } from '../../enrolment/applicant.ts'
import { readPending, writePending, type Pending } from '../../enrolment/pending.ts'
import { ENROLLED_KEY } from '../../enrolment/renewal.ts'
import { finishEnrolment, untilAnswered } from '../../enrolment/finish.ts'
import { ENROLMENT_SEED } from '../../open/institution.ts'
import { fileSeen } from '../../open/seen.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** Makes this machine an app instance of an institution whose keys are elsewhere, or goes on with that. */
export async function enrolHere(call: Call<HereOptions>): Promise<number> {
  const folder = dataFolder(call.options.data, call.screen.terminal.env)
  const whom = wantedOf(call.options)
  checkFolder(folder)
  call.screen.stopping.keeps(() => 'The request is kept: the same command goes on with it.')
  const applicant = await applicantOf(call, folder, whom)
  return finishEnrolment(call, applicant, await untilAnswered(call.screen, applicant))
}

interface Whom {
  readonly origin: string
  readonly registry: Digest
  readonly institution: InstitutionId
}

/** @throws CommanderError (usage) */
function wantedOf({ at, registry, as }: HereOptions): Whom {
  if (registry === undefined)
    throw usage('--at needs --registry, the id that the institution gives with its address')
  if (as === undefined) throw usage('--at needs --as, the institution that is asked')
  const url = URL.parse(at ?? '')
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usage('--at is the address of a home, such as https://home.example')
  try {
    return { origin: url.origin, registry: asDigest(registry), institution: asInstitutionId(as) }
  } catch {
    throw usage('--registry is an id of 43 characters, and --as the id of an institution')
  }
}

function checkFolder(folder: string): void {
  const settings = readSettings(folder)
  if (settings === null) return
  throw refuse(
    'ALREADY_EXISTS',
    settings.elsewhere === true
      ? `${folder} is that of an app instance of ${settings.institutions.join(', ')} already`
      : `there is a deployment in ${folder}; an app instance of a home elsewhere has a folder of its own`,
    settings.elsewhere === true ? 'npx ampere instance certificate' : 'choose another folder: --data FOLDER',
  )
}

async function applicantOf(call: Call<HereOptions>, folder: string, whom: Whom): Promise<Applicant> {
  const known = readPending(folder)
  if (known) checkSame(known, whom)
  const source = known?.passphrase ?? sourceOf(call.options)
  makeFolder(folder)
  const text = await passphraseIn(call, folder, source, known !== null)
  makeFolder(join(folder, 'institutions'))
  makeFolder(institutionFolder(folder, whom.institution))
  const file = keyFileOf(folder, whom.institution)
  const keyring = openKeyring(file, await stretchAhead(text, existsSync(file) ? [file] : []), random)
  const openWith = keyring.seed(ENROLMENT_SEED)
  const signer = await keyring.signer(`${ENROLLED_KEY}1`, 'ES256')
  const connection = connectApplicant(folder, whom, signer)
  await syncRegistry(connection.sync)
  const pending = known ?? {
    v: 1,
    ...whom,
    passphrase: source,
    request: await newRequest(call, connection, openWith),
  }
  if (!known) writePending(folder, pending)
  return {
    folder,
    pending,
    keyring,
    asked: await openEnrolment(pending.request, createVerifiers()),
    connection,
  }
}

function checkSame({ origin, registry, institution }: Pending, whom: Whom): void {
  if (origin === whom.origin && registry === whom.registry && institution === whom.institution) return
  throw refuse(
    'ALREADY_EXISTS',
    `this folder waits for an answer of ${institution} at ${origin}`,
    'give the same --at, --registry and --as, or choose another folder: --data FOLDER',
  )
}

function sourceOf({ passphraseFile }: HereOptions): PassphraseSource {
  if (passphraseFile === '-') return { kind: 'prompt' }
  return passphraseFile === undefined
    ? { kind: 'generated' }
    : { kind: 'file', path: resolve(passphraseFile) }
}

/** One that was generated before an earlier run of this command ended is taken up. */
async function passphraseIn(
  { options, screen }: Call<HereOptions>,
  folder: string,
  source: PassphraseSource,
  isThere: boolean,
): Promise<string> {
  const reads = isThere || options.passphraseFile !== undefined || existsSync(join(folder, 'passphrase'))
  return reads ? readPassphrase(folder, source, options, screen) : makePassphrase(folder, source, screen)
}

function connectApplicant(
  folder: string,
  { origin, registry, institution }: Whom,
  signer: Signer,
): Connection {
  return connect({
    fetch: (request) => fetch(request),
    now: () => Date.now(),
    random,
    identity: {
      reader: institution,
      institution,
      signer,
      sealingSeed: async () => {
        throw refuse('KEY_UNAVAILABLE', 'this machine is not enrolled yet')
      },
    },
    pins: { registry, origin, policy: null, monitors: null },
    seen: fileSeen(institutionFolder(folder, institution)),
  })
}

function newRequest(
  { options, args }: Call<HereOptions>,
  { sync, ports }: Connection,
  openWith: Uint8Array,
): Promise<string> {
  const { institution, signer } = ports.identity
  const newest = sync.registry.newest()
  if (institution === null || newest.get(`institution/${institution}`) === null)
    throw refuse('NOT_FOUND', `the registry has no institution ${institution ?? ''}`)
  const given = options.name ?? args[0]
  const free = (number: number): string =>
    newest.get(`instance/${institution}-${number}`) === null ? `${institution}-${number}` : free(number + 1)
  return makeEnrolment(
    ports,
    {
      registry: ports.pins.registry,
      institution,
      instance: asInstanceId(given ?? free(1)),
      capabilities: options.capabilities,
      sealTo: options.reads === true ? sealingPublicKey(openWith) : null,
    },
    signer,
  )
}
