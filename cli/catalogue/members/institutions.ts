// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from '../cloud-flags.ts'
import { parseCount } from '../../program/arguments.ts'
import type { CommandGroup } from '../../program/command.ts'
import { graveFlags } from '../deployment.ts'

const PROPOSAL = { name: 'proposal', about: 'its first characters, as institution list shows them' }
const SHOWN = {
  action: 'digest of what is to be signed, whose first characters name the proposal',
  proposal: 'id that the home has it under',
  by: 'who made it',
  changes: 'what it changes',
  after: 'height of the change of members or rules that it follows',
  expires: 'until when it is open',
  signed: 'who signed',
  missing: 'whose signatures count and are not there',
  isEnough: 'whether a majority signed',
}
const IN_FORCE = { inForce: 'height of the block with which it came into force, or null' }

export const INSTITUTIONS: CommandGroup = {
  title: 'Members of the registry',
  commands: [
    {
      name: 'institution new',
      summary: 'Make the keys of an institution on this computer, to be admitted to a registry',
      about:
        'Writes the public file that a member of the registry proposes. With --home it is remembered where that registry is: its fingerprint is shown first, compare it with what its operator says by another way. Keys that are there stay.',
      args: [{ name: 'institution', about: 'its id, for example st-marys' }],
      flags: [
        { flags: '--name <name>', about: 'its name, which the registry shows (default: the id)' },
        { flags: '--home <origin>', about: 'home of the registry, for example https://home.example' },
        { flags: '--file <file>', about: 'where the public file goes (default: beside the key file)' },
        { flags: '--confirm <fingerprint>', about: 'the fingerprint of the home, instead of being asked' },
        { flags: '--yes', about: 'take what was fetched as it is, instead of being asked' },
      ],
      examples: [
        {
          does: 'keys, and where the registry is',
          run: 'npx ampere institution new st-marys --home https://home.example',
        },
      ],
      json: {
        ok: 'true',
        changed: 'whether keys were made',
        institution: 'its id',
        name: 'its name',
        file: 'the public file',
        fingerprint: 'of its keys: 128 bits of their SHA-256, in hexadecimal',
        home: 'origin and registry of the home, or null',
      },
      load: async () => (await import('../../commands/institution/new.ts')).newInstitution,
    },
    {
      name: 'institution list',
      summary: 'List the members of the registry and the proposals that are open',
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'who is in, who waits, what is open', run: 'npx ampere institution list' }],
      json: {
        ok: 'true',
        registryHeight: 'height of the registry',
        items: 'id, name, status (member, waiting, removed), from, fingerprint and isHere of each',
        proposals: 'each as institution show gives it',
      },
      load: async () => (await import('../../commands/institution/list.ts')).listMembers,
    },
    {
      name: 'institution propose',
      summary: 'Propose to admit or remove an institution, or to move the home of the registry',
      about:
        'Signs as the first; the other members sign at their own machines. It is in force once more than half of them signed, and spent when another change of members or rules came first. Given again it goes on where it stopped.',
      args: [
        { name: 'what', about: 'admit, remove or rules' },
        { name: 'whom', about: 'a public file, the id of a member, or the deployment that becomes the home' },
      ],
      flags: [
        HOME_FLAG,
        {
          flags: '--days <days>',
          about: 'for how long it is open, 1 to 30 (default: 14)',
          default: 14,
          parse: parseCount,
        },
        ...graveFlags('the fingerprint of who is admitted, the id of who is removed, or the deployment'),
      ],
      acts: true,
      examples: [
        { does: 'a new member', run: 'npx ampere institution propose admit st-marys.json' },
        { does: 'one less', run: 'npx ampere institution propose remove st-marys' },
        { does: 'another home of the registry', run: 'npx ampere institution propose rules home-2' },
      ],
      json: { ok: 'true', dryRun: 'whether --dry-run was given', ...SHOWN, ...IN_FORCE },
      load: async () => (await import('../../commands/institution/propose.ts')).propose,
    },
    {
      name: 'institution show',
      summary: 'Say in plain words what an open proposal changes, and who signed it',
      args: [PROPOSAL],
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'before signing', run: 'npx ampere institution show 8Jq2mP0x' }],
      json: { ok: 'true', ...SHOWN },
      load: async () => (await import('../../commands/institution/show.ts')).showProposal,
    },
    {
      name: 'institution sign',
      summary: 'Sign an open proposal, and put it in force where a majority signed',
      about:
        'Shows what it changes and asks first. What was signed is seen as verified here, not as the home says. Given again it goes on where it stopped.',
      args: [PROPOSAL],
      flags: [HOME_FLAG, ...graveFlags('the first 8 characters of the proposal')],
      acts: true,
      examples: [
        { does: 'look, then confirm', run: 'npx ampere institution sign 8Jq2mP0x' },
        {
          does: 'as another institution of this computer',
          run: 'npx ampere institution sign 8Jq2mP0x --as hospital-b',
        },
      ],
      json: { ok: 'true', dryRun: 'whether --dry-run was given', ...SHOWN, ...IN_FORCE },
      load: async () => (await import('../../commands/institution/sign.ts')).signProposal,
    },
    {
      name: 'institution withdraw',
      summary: 'Take a proposal of this institution back',
      about: 'The home shows it no more. Signatures that were given stay valid until they expire.',
      args: [PROPOSAL],
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'a mistake', run: 'npx ampere institution withdraw 8Jq2mP0x' }],
      json: {
        ok: 'true',
        action: SHOWN.action,
        proposal: SHOWN.proposal,
        signed: SHOWN.signed,
        expires: SHOWN.expires,
      },
      load: async () => (await import('../../commands/institution/withdraw.ts')).withdrawProposal,
    },
  ],
}
