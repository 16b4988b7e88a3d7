using System.Security.Cryptography;

namespace Kv.Fuzz.Running;

/// <summary>Inputs that failed once. Those in `Failed`, each `TARGET-NAME.bin`, are tried by the tests for ever.</summary>
internal static class FailedInputs
{
    private const string Prefix = "failed/";

    public static IReadOnlyList<(string Name, byte[] Input)> Kept() =>
        [.. Resources.Names(Prefix).Select(name => (name[Prefix.Length..], Resources.Bytes(name)))];

    /// <summary>The target of a kept input: the longest name that its own begins with.</summary>
    public static FuzzTarget TargetOf(string name, IEnumerable<FuzzTarget> targets) =>
        targets.Where(target => name.StartsWith(target.Name + "-", StringComparison.Ordinal)).MaxBy(target => target.Name.Length)
        ?? throw new InvalidOperationException($"no target has the input {name}");

    /// <summary>Writes an input into the directory and gives its path.</summary>
    public static string Save(string directory, string target, byte[] input)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, $"{target}-{Convert.ToHexStringLower(SHA256.HashData(input))[..16]}.bin");
        File.WriteAllBytes(path, input);
        return path;
    }
}
