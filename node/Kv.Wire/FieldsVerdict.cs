namespace Kv.Wire;

/// <summary>Whether there is room for what a message's fields become.</summary>
internal enum FieldsVerdict
{
    Taken,

    /// <summary>More than there is room for at all.</summary>
    TooMany,

    /// <summary>There is none now.</summary>
    NoRoom,
}
