// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openMemory } from '#adapters/memory/open.ts'
import { bridgeConfigText } from '#cli/cloud/bridge/config-text.ts'
import { settingUp } from '#cli/cloud/bridge/set-up.ts'
import { cloudFolder, writeCloudDeployment, type CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { enrolBridge } from '#cli/commands/cloud/enrol-bridge.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { openBridging } from '#functions/bridge/alone.ts'
import { parseBridgeConfig } from '#functions/host/cloud/bridge-config.ts'
import { listen } from '#functions/host/node.ts'
import { silentLog } from '#functions/host/telemetry.ts'

/** Beside which the repository's own files lie, as a bundle's lie beside it. */
const BESIDE = new URL('../../../index.mjs', import.meta.url).href
const ask: Fetch = (request) => fetch(request)

/** A bridge that answers over HTTP, and its stores. */
export interface Bridged {
  readonly origin: string
  readonly platform: Platform
  readonly close: () => Promise<void>
}

/**
 * Gives an institution of a home a bridge alone, deployed as `aws-STAGE` from the same data folder: set up, listed in the registry and
 * told what it is by the code that deploys one. It runs in this process, on stores of its own.
 * @param home the name of the deployment whose home it uses
 */
export async function bridged(
  data: string,
  {
    stage,
    home,
    institution,
  }: { readonly stage: string; readonly home: string; readonly institution: string },
): Promise<Bridged> {
  const folder = cloudFolder(data, 'aws', stage)
  const text = readFileSync(join(data, 'cloud', home, 'passphrase'), 'utf8').trim()
  const passphrase = { text, masters: new Map(), isRandom: true }
  const platform = openMemory({ fetch: ask })
  const answering: { by?: (request: Request) => Response | Promise<Response> } = {}
  const server = await listen(
    (request) => answering.by?.(request) ?? new Response(null, { status: 503 }),
    0,
    false,
  )
  const origin = `http://127.0.0.1:${server.port}`
  const wanted: CloudDeployment = {
    v: 1,
    provider: 'aws',
    stage,
    region: 'eu-central-1',
    parameters: { deploys: 'bridge' },
    institutions: [{ id: institution, name: institution }],
    demo: true,
    bridge: { institution, uses: home, made: null },
    home: null,
  }
  const set = await settingUp(wanted, origin, { folder, passphrase })
  // Its stores stay open: the bridge has them.
  const deployed = await set({ ...platform, close: async () => {} })
  writeCloudDeployment(folder, deployed)
  await enrolBridge(folder, deployed, passphrase, ask)
  const config = parseBridgeConfig(bridgeConfigText(deployed, folder, { backupDays: 35, otlpEndpoint: '' }))
  const hosting = { now: platform.now, random: platform.random, log: silentLog }
  const app = await openBridging({ platform, config, hosting, beside: BESIDE })
  answering.by = (request) => app.fetch(request)
  return {
    origin,
    platform,
    close: async () => {
      await server.close()
      await platform.close()
    },
  }
}
