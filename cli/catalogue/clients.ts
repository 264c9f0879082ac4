// SPDX-License-Identifier: Apache-2.0
import type { CommandGroup } from '../program/command.ts'
import { BRIDGE_FLAG } from './cloud-flags.ts'

const CLIENT = { name: 'client', about: 'its client_id, for example lab-7' }
const SHOWN = {
  id: 'its client_id',
  name: 'its name',
  status: 'active or suspended',
  scopes: 'what it may do at most',
  jwksUrl: 'where its keys are published, or null',
  keys: 'kid and alg of each key that was registered',
  since: 'when it was last changed',
}

export const CLIENTS: CommandGroup = {
  title: 'Software that uses a bridge',
  commands: [
    {
      name: 'client add',
      summary: 'Let software ask the bridge of an institution for access tokens',
      about:
        'Registers a SMART backend service: it signs with its own key (RS384 or ES384), gets a token for five minutes, and may do what the scopes say. From the first client on the bridge answers nobody without a token; one in a cloud never does. Adding a client again replaces all that was registered of it, makes it active, and ends the tokens that it had. It holds at once, also in a server that runs and in a cloud.',
      args: [CLIENT],
      flags: [
        BRIDGE_FLAG,
        { flags: '--name <name>', about: 'what people call it (default: its client_id)' },
        { flags: '--jwks <file>', about: 'its public keys, as a JWK set' },
        {
          flags: '--jwks-url <url>',
          about: 'instead: where it publishes them, by https; they are asked for there and nowhere else',
        },
        {
          flags: '--scopes <scopes>',
          about:
            'what it may do at most: system/TYPE.LETTERS, of c create, r read, u update, d delete, s search; * is every type; several are separated by spaces or commas',
        },
      ],
      acts: true,
      examples: [
        {
          does: 'one that reads everything',
          run: 'npx ampere client add lab-7 --jwks lab-7.json --scopes "system/*.rs"',
        },
        {
          does: 'one that files observations',
          run: 'npx ampere client add lab-7 --jwks-url https://lab.example/jwks.json --scopes "system/Observation.cru"',
        },
        {
          does: 'one of the bridge in a cloud',
          run: 'npx ampere client add lab-7 --jwks lab-7.json --scopes "system/*.rs" --cloud aws-prod',
        },
      ],
      json: {
        ok: 'true',
        replaced: 'true where it was registered before',
        ...SHOWN,
        tokenEndpoint: 'where it asks for tokens, and what its assertions name as aud',
        fhir: 'base of the FHIR endpoint',
      },
      load: async () => (await import('../commands/client/add.ts')).addClient,
    },
    {
      name: 'client list',
      summary: 'List the software that may ask a bridge for access tokens',
      flags: [BRIDGE_FLAG],
      acts: true,
      examples: [{ does: 'which ones', run: 'npx ampere client list --as hospital-a' }],
      json: { ok: 'true', items: 'each as client show has it' },
      load: async () => (await import('../commands/client/list.ts')).listClients,
    },
    {
      name: 'client show',
      summary: 'Show what is registered of one client',
      args: [CLIENT],
      flags: [BRIDGE_FLAG],
      acts: true,
      examples: [{ does: 'what may it do?', run: 'npx ampere client show lab-7' }],
      json: { ok: 'true', ...SHOWN },
      load: async () => (await import('../commands/client/show.ts')).showClient,
    },
    {
      name: 'client suspend',
      summary: 'Give a client no access token any more, and end those that it has',
      about:
        'It holds at once, also in a server that runs and in a cloud. What is registered of it stays; client add makes it active again.',
      args: [CLIENT],
      flags: [BRIDGE_FLAG],
      acts: true,
      examples: [{ does: 'its key was lost', run: 'npx ampere client suspend lab-7' }],
      json: { ok: 'true', changed: 'false where it was suspended already', ...SHOWN },
      load: async () => (await import('../commands/client/suspend.ts')).suspendClient,
    },
    {
      name: 'client remove',
      summary: 'Forget a client, and end the access tokens that it has',
      about:
        'After you agreed; it holds at once, also in a server that runs and in a cloud. When the last one goes, the bridge on this computer answers again whoever reaches it, unless it was started with --require-login.',
      args: [CLIENT],
      flags: [BRIDGE_FLAG, { flags: '--yes', about: 'agree, instead of being asked' }],
      acts: true,
      examples: [{ does: 'no longer', run: 'npx ampere client remove lab-7 --yes' }],
      json: {
        ok: 'true',
        changed: 'false where somebody else removed it meanwhile',
        id: 'its client_id',
        last: 'true where it was the last client of the bridge',
      },
      load: async () => (await import('../commands/client/remove.ts')).removeClient,
    },
  ],
}
