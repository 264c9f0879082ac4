// SPDX-License-Identifier: Apache-2.0
import type { Cloud, Part } from '../../cloud/cloud.ts'
import {
  cloudFolder,
  originOf,
  readCloudDeployment,
  writeCloudDeployment,
  type CloudDeployment,
} from '../../cloud/cloud-folder.ts'
import type { Clouds } from '../../cloud/clouds.ts'
import { PROVIDERS, type Provider } from '../../cloud/providers.ts'
import { setAside } from '../../cloud/trusted.ts'
import { readiness } from '../../cloud/smoke.ts'
import { bridgeSays } from './enrol-bridge.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { dataFolder } from '../../deployment/settings.ts'
import { fingerprintOf } from '../../witness/published-keys.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

export interface StageOptions extends Common {
  readonly stage: string
  /** Which cloud, where one stage is deployed in both. */
  readonly provider?: Provider
}
export interface DestroyOptions extends StageOptions, GraveOptions {
  readonly eraseData?: boolean
}

/** A deployment that is remembered here, with what deploys to its cloud. */
interface Remembered {
  readonly folder: string
  readonly known: CloudDeployment
  readonly cloud: Cloud
}

/** Says how a deployment stands: what its cloud says of both halves, and what the home itself says. Changes nothing. */
export function statusOf(clouds: Clouds) {
  return async (call: Call<StageOptions>): Promise<number> => {
    const { known, cloud } = await remembered(clouds, call)
    const { region, stage, home, provider } = known
    const { stores, functions } = await cloud.standing(known)
    const says = await standingOf(known, cloud)
    const ok = says === 'ok' && stores.isWhole && functions.isWhole
    const [origin, registry] = [originOf(known), home?.registry ?? null]
    const keys = home ? fingerprintsOf(home) : null
    const bridge = bridgeOf(known)
    const standing = { ok, provider, stage, region, origin, registry, fingerprints: keys, bridge }
    call.screen.print({ ...standing, stores: stores.status, functions: functions.status, says }, [
      lineOf(stores),
      lineOf(functions),
      `${origin ?? 'no address'}  ${says === 'ok' ? 'ready, and its log is written' : says}`,
      ...(bridge ? [`Bridge of ${bridge.institution}  ${bridge.fhir ?? 'not set up'}`] : []),
      ...(keys ? [`Fingerprints  log ${keys.log}`, `              witness ${keys.witness}`] : []),
      ...(ok ? [] : [`Next: npx ampere deploy ${provider} --stage ${stage} --region ${region}`]),
    ])
    return ok ? EXIT.ok : EXIT.failed
  }
}

/** The bridge that was deployed, and where software finds it; null where there is none. */
function bridgeOf(known: CloudDeployment) {
  if (!known.bridge) return null
  const { institution, made } = known.bridge
  return { institution, fhir: made && `${originOf(known) ?? made.origin}/fhir` }
}

/** What a home and a bridge say of themselves: `ok`, or what is wrong. */
async function standingOf({ home, bridge }: CloudDeployment, cloud: Cloud): Promise<string> {
  const origin = originOf({ home, ...(bridge && { bridge }) })
  if (origin === null) return 'it was not set up'
  const ask = cloud.reach(origin)
  const says = home ? await readiness(origin, ask) : 'ok'
  return says === 'ok' && bridge ? bridgeSays(origin, ask) : says
}

/** What is remembered once all that was kept is erased: the same, with nothing that was made. */
function withoutKept({ bridge, ...known }: CloudDeployment): CloudDeployment {
  return { ...known, home: null, ...(bridge && { bridge: { ...bridge, made: null } }) }
}

/** What operators of others read to this one's, before they trust its keys. */
function fingerprintsOf({
  log,
  witness,
}: {
  readonly log: readonly string[]
  readonly witness: readonly string[]
}) {
  return { log: fingerprintOfTexts(log), witness: fingerprintOfTexts(witness) }
}

function fingerprintOfTexts(keys: readonly string[]): string {
  return fingerprintOf(keys.map((key) => parseVerifierKey(key)))
}

function lineOf({ name, status }: Part): string {
  return `${name}  ${status ?? 'not there'}`
}

/** Removes what runs. What is kept stays, so that the same deployment can be made again; with --erase-data it goes too. */
export function destroyOn(clouds: Clouds) {
  return async (call: Call<DestroyOptions>): Promise<number> => {
    const { screen, options } = call
    const { folder, known, cloud } = await remembered(clouds, call)
    const { stage, region, provider } = known
    const erases = options.eraseData === true
    const { says, remove, removed, isThere } = await cloud.removal(known, erases)
    // After an erasure that was broken off what is remembered has to go still.
    if (!isThere && !(erases && known.home)) throw nothingThere(known)
    // Another word than that which removes what runs, so that a habit erases nothing.
    if (
      !(await confirmGrave(screen, options, {
        says: isThere ? says : [GONE],
        name: erases ? `erase-${stage}` : stage,
      }))
    ) {
      screen.print({ ok: true, dryRun: true, stage, removed: false, erased: false }, ['Nothing was removed.'])
      return EXIT.ok
    }
    if (isThere) await remove()
    // The registry is gone; the institutions' keys stay here, which open what mirrors hold.
    if (erases) writeCloudDeployment(folder, withoutKept(known))
    const aside = erases ? setAside(folder) : null
    const again = `npx ampere deploy ${provider} --stage ${stage} --region ${region}`
    screen.print({ ok: true, dryRun: false, stage, removed: isThere, erased: erases && isThere }, [
      isThere ? `Removed: ${removed}` : 'Nothing was removed: nothing of it was there.',
      erases
        ? `The institutions' keys stay in ${folder}: they open what mirrors hold`
        : `Next: ${again}, which makes it again with all that was kept`,
      ...(aside === null ? [] : [`Whom it trusted is in ${aside}`]),
    ])
    return EXIT.ok
  }
}

const GONE =
  'Nothing of it is there any more. What is remembered of that home here goes, but for the keys of its institutions.'

function nothingThere({ provider, stage, region }: CloudDeployment): Error {
  return refuse(
    'NOT_FOUND',
    `nothing of ${stage} that would be removed is there, in ${region}: nothing was removed`,
    `npx ampere deploy status --stage ${stage} --provider ${provider}`,
  )
}

async function remembered(clouds: Clouds, { screen, options }: Call<StageOptions>): Promise<Remembered> {
  const { stage, provider: asked, data } = options
  const { env } = screen.terminal
  const found = PROVIDERS.filter((provider) => asked === undefined || provider === asked).flatMap(
    (provider) => {
      const folder = cloudFolder(dataFolder(data, env), provider, stage)
      const known = readCloudDeployment(folder)
      return known ? [{ folder, known }] : []
    },
  )
  const [first, second] = found
  if (!first)
    throw refuse(
      'NOT_FOUND',
      `nothing was deployed as ${stage} from this data folder`,
      `npx ampere deploy ${asked ?? 'aws'} --stage ${stage}, or name another folder: --data FOLDER`,
    )
  if (second)
    throw usage(`${stage} is deployed in both clouds: say which with --provider aws or --provider azure`)
  return { ...first, cloud: await clouds[first.known.provider].open(env) }
}
