/**
 * The CPU backend: Vector API kernels over weights at their file's width, on a pool of pinned-size worker threads. The only
 * package that uses the incubator module.
 */
@NullMarked
package io.radixflow.backend.cpu;

import org.jspecify.annotations.NullMarked;
