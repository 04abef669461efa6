/**
 * Fakes, oracles and small models that tests of every module share; shipped as the test jar. Hand-written, plain, and slow
 * where that makes them easier to trust.
 */
@NullMarked
package io.radixflow.testkit;

import org.jspecify.annotations.NullMarked;
