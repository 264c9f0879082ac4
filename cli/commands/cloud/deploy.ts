// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import { isAmpereError } from '#core/errors.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openInstitution } from '../../open/institution.ts'
import { connectInstitution } from '../../open/bridge.ts'
import { dataFolder } from '../../deployment/settings.ts'
import { pause as wait, type Cloud, type Plan } from '../../cloud/cloud.ts'
import {
  cloudFolder,
  homeFolderOf,
  originOf,
  readCloudDeployment,
  writeCloudDeployment,
  type CloudDeployment,
} from '../../cloud/cloud-folder.ts'
import { CLOUDS, type Clouds, type OpenCloud } from '../../cloud/clouds.ts'
import { foundersPassphrase } from '../../cloud/founding/founding.ts'
import type { Provider } from '../../cloud/providers.ts'
import { smokeTest, untilReady, type Smoke } from '../../cloud/smoke.ts'
import { wantedOf } from '../../cloud/wanted.ts'
import { checkNotLeft } from '../../migrate/note.ts'
import type { NamedInstitution } from '../../program/arguments.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { tryBridge } from './try-bridge.ts'
import { wantedRole } from './wanted-bridge.ts'
import type { Deploys } from '#infra/permissions/identities.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

export interface DeployOptions extends Common {
  readonly stage: string
  readonly region?: string
  readonly role?: Deploys
  readonly home?: string
  /** Of Azure. */
  readonly subscription?: string
  readonly institution?: readonly NamedInstitution[]
  readonly param?: readonly string[]
  readonly plan?: boolean
  readonly demo?: boolean
}

/**
 * Makes a deployment on a provider, or makes it what it should be now.
 * @param pause waits so many milliseconds
 * @param clouds where the home of a bridge alone may be
 */
export function deployOn(open: OpenCloud, pause = wait, clouds: Clouds = CLOUDS) {
  return async (call: Call<DeployOptions>): Promise<number> => {
    const { screen, options } = call
    const cloud = await open(screen.terminal.env)
    const folder = cloudFolder(dataFolder(options.data, screen.terminal.env), cloud.provider, options.stage)
    const known = readCloudDeployment(folder)
    checkNotReceiving(known)
    checkNotLeft(folder)
    const role = wantedRole(folder, known, options)
    const wanted = wantedOf(cloud, known, { ...options, institution: role.institutions }, role)
    const plan = await planOf(cloud, wanted, options.plan === true)
    if (options.plan === true) {
      screen.print({ ok: true, folder, ...plan }, plan.lines)
      return EXIT.ok
    }
    for (const line of plan.lines) screen.say(line)
    screen.stopping.keeps(() => 'What was begun stays; run the same command again, and it goes on.')
    const keysFolder = wanted.bridge ? homeFolderOf(folder, wanted.bridge) : folder
    const passphrase = await foundersPassphrase(keysFolder, options, screen)
    const deployed = await cloud.deploy(wanted, { folder, passphrase, say: screen.say, pause })
    screen.say('Waits until all that was deployed answers, minutes at most, and tries it')
    const smoke = deployed.home ? await trySmoke(cloud, folder, deployed, { passphrase, pause }) : null
    const openOther = (provider: Provider) => clouds[provider].open(screen.terminal.env)
    const trying = { cloud, openOther, passphrase, pause, now: screen.terminal.now, say: screen.say }
    const instance = deployed.bridge ? await tryBridge(folder, deployed, trying) : null
    const { home, bridge } = deployed
    const origin = originOf(deployed)
    const told = bridge && { institution: bridge.institution, fhir: `${origin}/fhir`, instance }
    screen.print(
      { ok: true, folder, origin, registry: home?.registry, smoke, ...(told && { bridge: told }) },
      [
        `Deployed: ${origin}`,
        ...(home ? [`  Registry  ${home.registry}`] : []),
        ...(smoke
          ? [
              `  Tried     a record of ${smoke.blocks} blocks: append ${smoke.appendMs} ms, receipt after ${smoke.receiptMs} ms, read back and verified`,
            ]
          : []),
        ...(told ? [`  Bridge    of ${told.institution}, app instance ${told.instance}: ${told.fhir}`] : []),
        `  Keys      of the institutions, in ${keysFolder}: keep a copy offline`,
        ...(told ? [clientNext(deployed)] : []),
        `Next: ${home ? 'whoever verifies pins this registry; ' : ''}run the same command after every update`,
      ],
    )
    return EXIT.ok
  }
}

/** A bridge in a cloud answers nobody before it knows a client. */
function clientNext({ provider, stage }: CloudDeployment): string {
  return `Next: let software use the bridge: npx ampere client add ID --jwks FILE --scopes "system/*.rs" --cloud ${provider}-${stage}`
}

/** What was given wrongly is so for every command: exit 2. @throws CommanderError (usage); as `Cloud.plan` */
async function planOf(cloud: Cloud, wanted: CloudDeployment, asks: boolean): Promise<Plan> {
  try {
    return await cloud.plan(wanted, asks)
  } catch (error) {
    // What a provider says of itself comes with what to do next.
    if (!isAmpereError(error, 'CONFIGURATION') || 'next' in error) throw error
    throw usage(error.message)
  }
}

/** A registry that is founded there would be in the way of the one that comes. @throws AmpereError ALREADY_EXISTS */
function checkNotReceiving(known: CloudDeployment | null): void {
  if (known?.receives !== true) return
  const name = `${known.provider}-${known.stage}`
  throw refuse('ALREADY_EXISTS', `a home is being moved into ${name}`, `npx ampere migrate --to ${name}`)
}

interface Trying {
  readonly passphrase: StretchedPassphrase
  readonly pause: (ms: number) => Promise<void>
}

async function trySmoke(
  cloud: Cloud,
  folder: string,
  deployed: CloudDeployment,
  { passphrase, pause }: Trying,
): Promise<Smoke> {
  const { home, institutions } = deployed
  const [owner] = institutions
  if (!home || !owner)
    throw refuse('CONFIGURATION', 'the deployment was not set up', 'run the same command again')
  const fetch = cloud.reach(home.origin)
  await untilReady(home.origin, fetch, pause)
  const institution = await openInstitution(folder, owner.id, passphrase)
  const keys = home.log.map((key) => `log ${key}\n`)
  // Whoever tries it pins the keys that it made itself.
  const policy = parsePolicy([...keys, 'quorum none\n'].join(''))
  // Each further deployment goes on with the same record.
  const remember = (trial: ChainId) => writeCloudDeployment(folder, { ...deployed, trial })
  return smokeTest(connectInstitution(institution, home, fetch, { policy }), deployed, pause, remember)
}
