namespace Kv.Operator.Local;

/// <summary>
/// Looks at a directory of manifests again and again, and tells for how long it has stood as it does. Editors empty a file and then write it, or move it away and
/// write it anew: what one look alone sees may be half of what is meant.
/// </summary>
internal sealed class ManifestWatch(string directory, TimeProvider time)
{
    private ManifestLook? last;
    private DateTimeOffset since;

    /// <summary>Looks once more. No time at all (null) if anything differs from the look before, or there was none.</summary>
    public (ManifestLook Look, TimeSpan? StandingFor) Look()
    {
        var look = ManifestReader.Look(directory);
        if (look.Equals(last))
        {
            return (look, time.GetUtcNow() - since);
        }

        (last, since) = (look, time.GetUtcNow());
        return (look, null);
    }
}
