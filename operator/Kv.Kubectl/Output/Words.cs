using System.Globalization;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Output;

/// <summary>Values as words: the same in tables and in JSON.</summary>
internal static class Words
{
    public static string Of(MemberState state) => state == MemberState.Unspecified ? "unknown" : state.ToString().ToLowerInvariant();

    public static string Of(BucketType.Types.State state) => state == BucketType.Types.State.Unspecified ? "unknown" : state.ToString().ToLowerInvariant();

    public static string Of(Transfer.Types.State state) => state == Transfer.Types.State.Unspecified ? "unknown" : state.ToString().ToLowerInvariant();

    public static string Of(Transfer.Types.Kind kind) => kind == Transfer.Types.Kind.Unspecified ? "unknown" : kind.ToString().ToLowerInvariant();

    public static string Of(HashTrees.Types.State state) => state == HashTrees.Types.State.Unspecified ? "unknown" : state.ToString().ToLowerInvariant();

    public static string Of(Exchange.Types.State state) => state == Exchange.Types.State.Unspecified ? "unknown" : state.ToString().ToLowerInvariant();

    public static string Of(StagedChange.Types.Kind kind) => kind == StagedChange.Types.Kind.Unspecified ? "unknown" : kind.ToString().ToLowerInvariant();

    public static string YesNo(bool value) => value ? "yes" : "no";

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>1 transfer</c>, <c>2 transfers</c>, <c>no transfers</c>.</summary>
    public static string Count(long number, string noun) => number switch
    {
        0 => $"no {noun}s",
        1 => $"1 {noun}",
        _ => $"{Number(number)} {noun}s",
    };

    public static string Bytes(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var value = (double)bytes;
        var unit = 0;
        while (value >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }
}
