package io.radixflow.job.cli;

import picocli.CommandLine.IVersionProvider;

/** The build's version, as the jar's manifest has it. */
final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
        String version = Main.class.getPackage().getImplementationVersion();
        return new String[] {"radixflow " + (version == null ? "(unpackaged)" : version) + ", Java " + Runtime.version()
        };
    }
}
