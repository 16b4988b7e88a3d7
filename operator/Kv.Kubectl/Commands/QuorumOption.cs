using System.CommandLine;
using System.Globalization;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>A quorum on the command line: a number or one of the words one, quorum, all; without it, the bucket's.</summary>
internal static class QuorumOption
{
    public static Option<Quorum?> Create(string name, string description) => new(name)
    {
        HelpName = "N|one|quorum|all",
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens is [{ Value: var value }] ? value : "";
            var quorum = Parse(text);
            if (quorum is null)
            {
                result.AddError($"{name} must be a number above 0, one, quorum or all, not `{text}`");
            }

            return quorum;
        },
    };

    /// <summary>A number as of <c>--n-val</c>: one or more.</summary>
    public static Option<uint?> NVal() => new("--n-val")
    {
        HelpName = "N",
        Description = "Use only the first N replicas of the bucket's.",
        CustomParser = result =>
        {
            var text = result.Tokens is [{ Value: var value }] ? value : "";
            if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= int.MaxValue)
            {
                return number;
            }

            result.AddError($"--n-val must be a number above 0, not `{text}`");
            return null;
        },
    };

    /// <summary>Yes, no, or as the bucket has it. Text, and not a bool, which would take no value but these and leave any other to the arguments.</summary>
    public static Option<string?> Switch(string name, string description)
    {
        var option = new Option<string?>(name) { HelpName = "true|false", Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text and not ("true" or "false") }])
            {
                result.AddError($"{name} must be true or false, not `{text}`");
            }
        });
        return option;
    }

    public static bool? Read(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is { } text ? text == "true" : null;

    private static Quorum? Parse(string text) => text switch
    {
        "one" => new Quorum { Word = Quorum.Types.Word.One },
        "quorum" => new Quorum { Word = Quorum.Types.Word.Quorum },
        "all" => new Quorum { Word = Quorum.Types.Word.All },
        _ when uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 => new Quorum { Number = number },
        _ => null,
    };
}
