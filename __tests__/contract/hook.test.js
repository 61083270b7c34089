import { hookFactory } from '../helpers/factories.js';
import { contractSuite } from './contract-suite.js';

contractSuite('the facet of useHyphaStorage', hookFactory);
