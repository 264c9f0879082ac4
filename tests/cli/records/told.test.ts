// SPDX-License-Identifier: Apache-2.0
import { actsOnRecords } from './acts.ts'
import { showsChains } from './chain.ts'
import { saysWhatIsDamaged } from './damage.ts'
import { findsWhatContradicts } from './findings.ts'
import { followsRotation } from './rotation.ts'
import { toldDemo } from './told-demo.ts'

// One demo for all of them: telling it takes longer than most of what is asked of it.
const demo = toldDemo()
showsChains(demo)
actsOnRecords(demo)
findsWhatContradicts(demo)
saysWhatIsDamaged(demo)
followsRotation(demo)
