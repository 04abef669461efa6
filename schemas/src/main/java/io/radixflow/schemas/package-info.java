/**
 * What travels on topics and in files: prompt records, completions, dead letters and their error codes, with their JSON
 * codecs. Knows neither engine nor Flink.
 */
@NullMarked
package io.radixflow.schemas;

import org.jspecify.annotations.NullMarked;
